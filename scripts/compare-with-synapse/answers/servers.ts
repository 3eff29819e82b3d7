import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestAuthority } from '../../../packages/testkit/certificates.ts';
import { freePort, startServerProcess } from '../../../packages/testkit/server-process.ts';
import { startSynapse } from '../../beside/synapse-server.ts';
import type { JsonObject } from './json.ts';

/** The same of both servers. */
export type Both<T> = { readonly portico: T; readonly synapse: T };

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export type Request = {
  readonly method: Method;
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: JsonObject | undefined;
};

export type Answer = { readonly status: number; readonly body: JsonObject };

/** Sends a request to one server. */
export type Call = (request: Request) => Promise<Answer>;

export interface Servers {
  readonly calls: Both<Call>;
  stop(): Promise<void>;
}

export const serverName = 'compared.localhost';

const manyRequests = { per_second: 100_000, burst_count: 100_000 };

/** Starts both under one name, so that the same people can be on both. */
export async function startServers(folder: string, python: string): Promise<Servers> {
  const authority = createTestAuthority();
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, authority.certificate);
  const [port, clientPort, serverPort] = [await freePort(), await freePort(), await freePort()];
  const synapse = await startSynapse({
    python,
    folder: join(folder, 'synapse'),
    clientPort,
    serverPort,
    caFile,
    certified: authority.issue(['localhost']),
    settings: {
      server_name: serverName,
      rc_invites: { per_room: manyRequests, per_user: manyRequests, per_issuer: manyRequests },
      rc_room_creation: manyRequests,
      rc_reports: manyRequests,
      rc_user_directory: manyRequests,
      rc_presence: { per_user: manyRequests },
    },
  });
  const portico = await startServerProcess({
    dataDir: join(folder, 'portico'),
    port,
    settings: { SERVER_NAME: serverName, PUBLIC_BASE_URL: `http://127.0.0.1:${port}` },
  }).catch(async (error: unknown) => {
    await synapse.stop();
    throw error;
  });
  return {
    calls: { portico: callOf(portico.baseUrl), synapse: callOf(synapse.baseUrl) },
    async stop() {
      portico.signal('SIGTERM');
      await Promise.all([portico.ended, synapse.stop()]);
    },
  };
}

function callOf(baseUrl: string): Call {
  return async ({ method, path, token, body }) => {
    const answer = await fetch(`${baseUrl}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as JsonObject };
  };
}

/** Asks both at once. */
export async function bothOf<T>(ask: (side: keyof Both<T>) => Promise<T>): Promise<Both<T>> {
  const [portico, synapse] = await Promise.all([ask('portico'), ask('synapse')]);
  return { portico, synapse };
}
