import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority, type TestAuthority } from '@portico/testkit/certificates.ts';
import { freePort, startServerProcess } from '@portico/testkit/server-process.ts';
import { createTestClient, type TestClient } from '@portico/testkit/test-client.ts';
import { startSynapse } from '../../scripts/beside/synapse-server.ts';
import { whySynapseIsMissing } from '../../scripts/compare-with-synapse/synapse-process.ts';

/** A server in a process of its own on loopback, which others reach over TLS. */
export type FederatedServer = {
  readonly name: string;
  readonly baseUrl: string;
  readonly pid: number;
  /** What it has written. */
  output(): string;
  stop(): Promise<void>;
};

export type StartServer = () => Promise<FederatedServer>;

export const kinds = ['portico', 'synapse'] as const;
export type Kind = (typeof kinds)[number];

export type Place = { readonly folder: string; readonly authority: TestAuthority; readonly caFile: string };

/** A folder for servers, and the authority that they trust. */
export function makePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'portico-load-'));
  const authority = createTestAuthority();
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, authority.certificate);
  return { folder, authority, caFile };
}

/** Which kinds of servers are to be measured. Throws where there is none of a kind. */
export function parseKinds(text: string): readonly Kind[] {
  return text.split(',').map((name) => {
    const kind = kinds.find((each) => each === name);
    if (kind === undefined) throw new Error(`There is no kind of server called ${name}: ${kinds.join(', ')}`);
    const missing = kind === 'synapse' ? whySynapseIsMissing() : undefined;
    if (missing !== undefined) throw new Error(missing);
    return kind;
  });
}

const python = process.env['PORTICO_SYNAPSE_PYTHON'] ?? 'python3';

/** With `profile`, each thread of a Portico leaves a CPU profile in that folder. */
export function starter(kind: Kind, place: Place, profile?: string): StartServer {
  return kind === 'portico' ? () => startPortico(place, profile) : () => startStranger(place);
}

async function startPortico({ folder, authority, caFile }: Place, profile?: string): Promise<FederatedServer> {
  const [port, federationPort] = await Promise.all([freePort(), freePort()]);
  const dataDir = mkdtempSync(join(folder, 'portico-'));
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
  const started = await startServerProcess({ dataDir, port, settings, environment });
  const { baseUrl, pid, output } = started;
  return {
    name,
    baseUrl,
    pid,
    output,
    async stop() {
      started.signal('SIGTERM');
      await started.ended;
    },
  };
}

const many = 1_000_000;
/** Characters. */
const logged = 20_000;

/** Synapse with its own database file, cheap passwords, and no limits on what comes. */
async function startStranger({ folder, authority, caFile }: Place): Promise<FederatedServer> {
  const [clientPort, serverPort] = await Promise.all([freePort(), freePort()]);
  const own = mkdtempSync(join(folder, 'synapse-'));
  const { serverName, baseUrl, pid, stop } = await startSynapse({
    python,
    folder: own,
    clientPort,
    serverPort,
    caFile,
    certified: authority.issue(['localhost']),
    settings: {
      bcrypt_rounds: 4,
      rc_federation: { window_size: 1000, sleep_limit: many, sleep_delay: 1, reject_limit: many, concurrent: 100 },
    },
  });
  return {
    name: serverName,
    baseUrl,
    pid,
    output: () => readFileSync(join(own, 'synapse.log'), 'utf8').slice(-logged),
    stop,
  };
}

export async function must(answer: Promise<{ readonly status: number; readonly body: object }>) {
  const { status, body } = await answer;
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body as Record<string, unknown>;
}

export async function register({ baseUrl }: FederatedServer, username: string): Promise<TestClient> {
  const auth = { type: 'm.login.dummy' };
  const made = await must(
    createTestClient(baseUrl).post('/_matrix/client/v3/register', { username, password: 'x', auth }),
  );
  return createTestClient(baseUrl, {
    userId: made['user_id'] as string,
    accessToken: made['access_token'] as string,
    deviceId: made['device_id'] as string,
  });
}
