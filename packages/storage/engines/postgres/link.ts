import type pg from 'pg';
import type { StorageLog } from '../options.ts';
import { answerInTime } from './answer-in-time.ts';
import { connectPostgres } from './client.ts';
import type { ClientOptions } from './client.ts';

export type Link = {
  /** `undefined` while there is no connection. */
  readonly client: () => pg.Client | undefined;
  /** Drops a connection that can no longer be trusted; another one is made. */
  readonly drop: (client: pg.Client) => void;
  readonly close: () => Promise<void>;
};

export type LinkOptions = {
  readonly connect: ClientOptions;
  readonly log: StorageLog;
  /** Awaited before the connection counts as there; a rejection drops it. */
  readonly up?: (client: pg.Client) => Promise<void> | void;
  readonly down?: () => void;
};

const firstDelay = 50;
const longestDelay = 2000;
/** How long a connection may take that is made or ended. */
const patience = 10_000;

/** One connection that is made again whenever it is lost. Rejects where the first attempt fails. */
export async function createLink({ connect, log, up, down }: LinkOptions): Promise<Link> {
  let current: pg.Client | undefined;
  let delay = firstDelay;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const lost = (client: pg.Client) => {
    if (current !== client) return;
    current = undefined;
    if (closed) return;
    log('warn', 'A connection to PostgreSQL was lost', { connection: connect.name });
    down?.();
    timer = setTimeout(() => void retry(), delay);
  };

  const open = async () => {
    const client = await connectPostgres(connect);
    try {
      await answerInTime(client, patience, async () => up?.(client));
    } catch (error) {
      client.connection.stream.destroy();
      throw error;
    }
    if (closed) {
      client.connection.stream.destroy();
      return;
    }
    current = client;
    delay = firstDelay;
    client.once('end', () => lost(client));
    client.once('error', () => lost(client));
  };

  const retry = async () => {
    try {
      await open();
      if (!closed) log('info', 'A connection to PostgreSQL is there again', { connection: connect.name });
    } catch {
      if (closed) return;
      delay = Math.min(delay * 2, longestDelay);
      timer = setTimeout(() => void retry(), delay);
    }
  };

  await open();

  return {
    client: () => current,
    drop(client) {
      client.connection.stream.destroy();
      lost(client);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      const client = current;
      current = undefined;
      if (client !== undefined) await answerInTime(client, patience, () => client.end());
    },
  };
}
