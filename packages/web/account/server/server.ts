import { isJsonObject, type JsonObject, type JsonValue } from '@portico/protocol/json/value.ts';
import { ServerProblem } from './server-problem.ts';

export type Send = (address: URL, request: RequestInit) => Promise<Response>;

export type Question = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the address of the server, and relative. */
  readonly path: string;
  readonly body?: JsonObject;
  readonly token?: string;
  /** Whether it is to go on when the page is gone. */
  readonly outlivesPage?: boolean;
};

/** The server whose page this is. */
export interface Server {
  /** Its answer, an object of JSON; whatever else it says is a `ServerProblem`. */
  ask(question: Question): Promise<JsonObject>;
  fetchFile(question: Question): Promise<Blob>;
  /** The address of something on it, for a browser to go to. */
  addressOf(path: string): URL;
}

export function createServer(base: URL, send: Send): Server {
  async function reach({ method = 'GET', path, body, token, outlivesPage }: Question): Promise<Response> {
    const headers = new Headers();
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
    if (body !== undefined) headers.set('Content-Type', 'application/json');
    const request: RequestInit = { method, headers, cache: 'no-store', referrerPolicy: 'no-referrer' };
    if (body !== undefined) request.body = JSON.stringify(body);
    if (outlivesPage === true) request.keepalive = true;
    let response: Response;
    try {
      response = await send(new URL(path, base), request);
    } catch {
      throw new ServerProblem({ kind: 'unreachable' });
    }
    if (response.ok) return response;
    const answer = await readObject(response);
    throw new ServerProblem({ kind: 'refused', status: response.status, answer: answer ?? {} });
  }
  return {
    async ask(question) {
      const answer = await readObject(await reach(question));
      if (answer === undefined) throw new ServerProblem({ kind: 'unreadable' });
      return answer;
    },
    addressOf: (path) => new URL(path, base),
    async fetchFile(question) {
      const response = await reach(question);
      try {
        return await response.blob();
      } catch {
        throw new ServerProblem({ kind: 'unreachable' });
      }
    },
  };
}

async function readObject(response: Response): Promise<JsonObject | undefined> {
  try {
    const value = (await response.json()) as JsonValue;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
