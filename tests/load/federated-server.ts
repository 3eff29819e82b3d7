import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestAuthority } from '@portico/testkit/certificates.ts';
import { freePort, type ServerProcess, startServerProcess } from '@portico/testkit/server-process.ts';
import { createTestClient, type TestClient } from '@portico/testkit/test-client.ts';

export type FederatedServer = { readonly name: string; readonly process: ServerProcess };

type Options = {
  readonly folder: string;
  readonly authority: TestAuthority;
  readonly caFile: string;
  /** Where each of its threads leaves a CPU profile. */
  readonly profile: string | undefined;
};

/** Starts the program on loopback, as a server that others reach over TLS. */
export async function startFederatedServer({ folder, authority, caFile, profile }: Options): Promise<FederatedServer> {
  const [port, federationPort] = await Promise.all([freePort(), freePort()]);
  const dataDir = mkdtempSync(join(folder, 'server-'));
  const { certificate, key } = authority.issue(['localhost']);
  const tls = { certificate: join(dataDir, 'cert.pem'), key: join(dataDir, 'key.pem') };
  writeFileSync(tls.certificate, certificate);
  writeFileSync(tls.key, key);
  const name = `localhost:${federationPort}`;
  const settings = {
    SERVER_NAME: name,
    DURABILITY: 'full',
    LISTENERS: JSON.stringify([
      { address: '127.0.0.1', port, serve: ['client'] },
      { address: '127.0.0.1', port: federationPort, serve: ['federation'], tls },
    ]),
    OUTBOUND_TRUSTED_CA_FILE: caFile,
    OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true',
  };
  const environment = profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` };
  const process = await startServerProcess({ dataDir, port, settings, environment });
  if (process === undefined) throw new Error('A server did not start');
  return { name, process };
}

export async function must(answer: Promise<{ readonly status: number; readonly body: object }>) {
  const { status, body } = await answer;
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body as Record<string, unknown>;
}

export async function register({ process }: FederatedServer, username: string): Promise<TestClient> {
  const auth = { type: 'm.login.dummy' };
  const made = await must(
    createTestClient(process.baseUrl).post('/_matrix/client/v3/register', { username, password: 'x', auth }),
  );
  return createTestClient(process.baseUrl, {
    userId: made['user_id'] as string,
    accessToken: made['access_token'] as string,
    deviceId: made['device_id'] as string,
  });
}

/** In milliseconds, of a process and all its threads. */
export function cpuTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
