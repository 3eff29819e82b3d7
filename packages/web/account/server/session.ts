import type { JsonObject } from '@portico/protocol/json/value.ts';
import { codeOf } from './server-problem.ts';
import type { Question, Server } from './server.ts';

export type Asked = Omit<Question, 'token'>;

/** Somebody who is logged in. The token is nowhere but in here: it ends with the page. */
export interface Session {
  readonly userId: string;
  readonly deviceId: string;
  ask(question: Asked): Promise<JsonObject>;
  fetchFile(question: Asked): Promise<Blob>;
  /** The address of something on the server, for a browser to go to. */
  addressOf(path: string): URL;
  /** Logs out as well as it can while the page goes away. */
  leave(): void;
}

type Login = { readonly userId: string; readonly deviceId: string; readonly token: string };

/** `onEnd` is called once the server does not know the token any more. */
export function createSession(server: Server, { userId, deviceId, token }: Login, onEnd: () => void): Session {
  async function watch<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (codeOf(error) === 'M_UNKNOWN_TOKEN') onEnd();
      throw error;
    }
  }
  return {
    userId,
    deviceId,
    ask: (question) => watch(server.ask({ ...question, token })),
    fetchFile: (question) => watch(server.fetchFile({ ...question, token })),
    addressOf: (path) => server.addressOf(path),
    leave() {
      const logout = { method: 'POST', path: '_matrix/client/v3/logout', body: {}, token, outlivesPage: true } as const;
      // Nobody is left who could be told.
      server.ask(logout).catch(() => undefined);
    },
  };
}
