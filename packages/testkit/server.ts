import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compose } from '@portico/server/compose.ts';
import { loadConfig } from '@portico/server/config/load.ts';
import { createResponseCheck } from '@portico/server/http/check-response.ts';
import type { Network } from '@portico/server/services/outbound/network.ts';
import type { Logger } from '@portico/server/observability/logger.ts';
import { startServer } from '@portico/server/process/start-server.ts';
import { createWorkQueue } from '@portico/server/services/work-queue.ts';
import pino from 'pino';
import { createTestDatabase } from './postgres.ts';
import { createExercisedLog } from './exercised.ts';
import { createTestClient, type TestClient } from './test-client.ts';
import type { VirtualClock } from './virtual-clock.ts';

export type TestServerOptions = {
  readonly engine?: 'sqlite' | 'postgres';
  /** Instead of a fresh folder: one that another server of the test has left, or keeps its PostgreSQL beside. */
  readonly dataDir?: string;
  /** Instead of a fresh database. */
  readonly databaseUrl?: string;
  /** Further settings, as environment variables without `PORTICO_`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly now?: () => number;
  /** For what waits for its time in presence. */
  readonly after?: VirtualClock['after'];
  /** Instead of the machine's own. */
  readonly network?: Network;
};

export interface TestServer {
  readonly baseUrl: string;
  /** The addresses of all its listeners, in the order of the settings. */
  readonly urls: readonly string[];
  readonly dataDir: string;
  readonly databaseUrl: string;
  /** What was logged as an error, a line of JSON each. */
  readonly errors: readonly string[];
  /** Makes requests without a token. */
  readonly anonymous: TestClient;
  /** A client with a token, of a user that is there already. */
  as(user: { readonly userId: string; readonly accessToken: string; readonly deviceId: string }): TestClient;
  /** Makes an account as a client does, and gives a client that is logged in. */
  registerUser(name?: string, password?: string): Promise<TestClient>;
  /** Ends the server and keeps what it stored. */
  stop(): Promise<void>;
  /** Ends the server and removes the folder it was given for itself. */
  close(): Promise<void>;
}

export const testSharedSecret = 'the shared secret of test servers';

function createErrorLog(): { log: Logger; errors: string[] } {
  const errors: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => errors.push(line) });
  return { log, errors };
}

/** The suites of all files that share a process want theirs at once: each would wait for PostgreSQL as long as for all the others. */
const starts = createWorkQueue({ concurrency: 2, mostWaiting: Infinity });

/**
 * The whole program in this process, on a port of its own: open registration, cheap passwords, no rate limits. A response
 * that is not as its endpoint declares fails its request.
 */
export function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  return starts.run(() => start(options));
}

async function start(options: TestServerOptions): Promise<TestServer> {
  const { engine = 'sqlite', now, after, network } = options;
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'portico-server-'));
  const databaseUrl = options.databaseUrl ?? (engine === 'sqlite' ? 'sqlite:portico.db' : await createTestDatabase());
  const settings = {
    SERVER_NAME: 'localhost',
    DATA_DIR: dataDir,
    DATABASE: databaseUrl,
    DURABILITY: 'relaxed',
    LISTENERS: JSON.stringify([{ address: '127.0.0.1', port: 0, serve: ['client', 'admin'] }]),
    REGISTRATION_MODE: 'open',
    REGISTRATION_SHARED_SECRET: testSharedSecret,
    RATE_LIMITS_ENABLED: 'false',
    PASSWORDS_ARGON2_MEMORY: '8KiB',
    PASSWORDS_ARGON2_PASSES: '1',
    ...options.settings,
  };
  const environment = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`PORTICO_${name}`, value]));
  const config = await loadConfig({ environment });
  const { log, errors } = createErrorLog();
  const isAsDeclared = createResponseCheck();
  const noteExercised = createExercisedLog();
  const checkResponse: typeof isAsDeclared = (declaration, result) => {
    isAsDeclared(declaration, result);
    noteExercised(declaration.operationId);
  };
  const testing = { checkResponse, ...(now && { now }), ...(after && { after }) };
  const running = await startServer(
    config,
    (context) => compose({ ...context, testing, ...(network && { network }) }),
    log,
  );
  const baseUrl = running.listening[0]?.url ?? '';
  const anonymous = createTestClient(baseUrl);

  return {
    baseUrl,
    urls: running.listening.map(({ url }) => url),
    dataDir,
    databaseUrl: config.database.url,
    errors,
    anonymous,
    as: (user) => createTestClient(baseUrl, user),
    async registerUser(name = `user-${randomBytes(6).toString('hex')}`, password = 'a password') {
      const auth = { type: 'm.login.dummy' };
      const { status, body } = await anonymous.post('/_matrix/client/v3/register', { username: name, password, auth });
      if (status !== 200) throw new Error(`Registering ${name} failed: ${JSON.stringify(body)}`);
      const { user_id: userId, access_token: accessToken, device_id: deviceId } = body as Record<string, string>;
      if (!userId || !accessToken || !deviceId) throw new Error('A registration without a session');
      return createTestClient(baseUrl, { userId, accessToken, deviceId });
    },
    stop: running.stop,
    async close() {
      await running.stop();
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
