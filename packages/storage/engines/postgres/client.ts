import { Client } from 'pg';
import { answerInTime } from './answer-in-time.ts';

export type ClientOptions = {
  readonly url: string;
  readonly name?: string;
  /** Milliseconds, as all of these. */
  readonly connectTimeout?: number;
  readonly statementTimeout?: number;
  readonly lockTimeout?: number;
  /** After how long the server ends a transaction that this process, perhaps stopped, leaves open. */
  readonly idleInTransactionTimeout?: number;
  /** SQL for the fresh session. */
  readonly setup?: string;
};

const usualConnectTimeout = 10_000;
/** Others wait for a process that asks for one statement after the other, not for one that stands still, or whose machine is gone. */
export const usualIdleTimeout = 10_000;

/** A connection of our own making; the caller ends it. */
export async function connectPostgres(options: ClientOptions): Promise<Client> {
  const client = new Client({
    connectionString: options.url,
    application_name: options.name ?? 'portico',
    connectionTimeoutMillis: options.connectTimeout ?? usualConnectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: options.statementTimeout ?? false,
    lock_timeout: options.lockTimeout ?? 0,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeout ?? 0,
  });
  // A lost connection is reported to whoever waits for an answer; without a listener the event would end the process.
  client.on('error', () => undefined);
  await client.connect();
  const { setup, connectTimeout = usualConnectTimeout } = options;
  if (setup !== undefined) await answerInTime(client, connectTimeout, () => client.query(setup));
  return client;
}
