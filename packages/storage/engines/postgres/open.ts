import type { Database } from '../../database.ts';
import { migrations as allMigrations } from '../../migrations/index.ts';
import { createChangeFeed } from '../change-feed.ts';
import { createFailpoints } from '../failpoints.ts';
import { createIdBlocks } from '../id-blocks.ts';
import type { OpenOptions } from '../options.ts';
import { createChangeTail } from './change-tail.ts';
import { connectPostgres } from './client.ts';
import { migratePostgres } from './migrate.ts';
import { createReserve } from './reserve.ts';
import { createMessages } from './messages.ts';
import { createReaderPool } from './readers.ts';
import { createWriter } from './writer.ts';

const readConnections = 4;
const longConnections = 2;
const readTimeout = 5000;
const longTimeout = 60_000;

async function currentPosition(url: string): Promise<number> {
  const client = await connectPostgres({ url });
  try {
    const { rows } = await client.query<{ position: string }>('select position from position_counter where id = 1');
    return Number(rows[0]?.position);
  } finally {
    await client.end();
  }
}

export async function openPostgres(options: OpenOptions): Promise<Database> {
  const { url, answerTimeout } = options;
  const log = options.log ?? (() => undefined);
  const done = await migratePostgres(url, options.migrations ?? allMigrations, options.idleInTransactionTimeout);
  if (done.length > 0)
    log('info', 'The database schema was brought up to date', { migrations: done.map(({ name }) => name) });

  const feed = createChangeFeed(await currentPosition(url), log);
  const tail = await createChangeTail({ url, feed, log, answerTimeout });
  const messages = await createMessages(url, log, answerTimeout);
  const failpoints = createFailpoints(options.failpoint);
  const writer = await createWriter({ url, tail, log, failpoints, options });
  const readers = await createReaderPool({
    url,
    name: 'portico reader',
    connections: options.readers ?? readConnections,
    timeout: options.readTimeout ?? readTimeout,
    log,
  });
  const long = await createReaderPool({
    url,
    name: 'portico long reader',
    connections: longConnections,
    timeout: longTimeout,
    log,
  });

  return {
    ...readers.reader,
    kind: 'postgres',
    messages,
    long: long.reader,
    commit: writer.commit,
    commitAlone: writer.commitAlone,
    currentPosition: feed.position,
    catchUp: tail.catchUp,
    onChanges: feed.listen,
    reserveIds: createIdBlocks(createReserve(url), options.idBlock ?? 1000),
    async close() {
      await writer.close();
      await Promise.all([messages.close(), tail.close(), readers.close(), long.close()]);
    },
  };
}
