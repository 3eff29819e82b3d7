import type { Database } from '../../database.ts';
import { migrations as allMigrations } from '../../migrations/index.ts';
import { createChangeFeed } from '../change-feed.ts';
import { createIdBlocks, reserveBy } from '../id-blocks.ts';
import type { OpenOptions } from '../options.ts';
import { openConnection } from './connection.ts';
import type { ConnectionSettings } from './connection.ts';
import { createLongReader } from './long-reader.ts';
import { migrateSqlite } from './migrate.ts';
import { createReader } from './reader.ts';
import { createWriter } from './writer.ts';

const mebibyte = 1024 * 1024;

export async function openSqlite(path: string, options: OpenOptions): Promise<Database> {
  const log = options.log ?? (() => undefined);
  const { reader = 16 * mebibyte, writer: writerCache = 16 * mebibyte, mapped = 0 } = options.cacheSizes ?? {};
  const forWriter: ConnectionSettings = {
    path,
    readOnly: false,
    synchronous: options.durability === 'relaxed' ? 'normal' : 'full',
    cacheBytes: writerCache,
    mappedBytes: mapped,
    maxBytes: options.maxBytes,
  };
  const forReader: ConnectionSettings = { ...forWriter, readOnly: true, cacheBytes: reader };

  const setup = openConnection(forWriter);
  let position: number;
  try {
    const done = migrateSqlite(setup, options.migrations ?? allMigrations);
    if (done.length > 0)
      log('info', 'The database schema was brought up to date', { migrations: done.map(({ name }) => name) });
    position = Number(setup.prepare('select position from position_counter where id = 1').get()?.['position']);
  } finally {
    setup.close();
  }

  const feed = createChangeFeed(position, log);
  const writer = createWriter({
    settings: { connection: forWriter, failpoint: options.failpoint },
    feed,
    log,
    options,
  });
  const connection = openConnection(forReader);
  const long = createLongReader(forReader);

  return {
    ...createReader(connection),
    kind: 'sqlite',
    messages: { isShared: false, send: () => undefined, on: () => () => undefined },
    long: long.reader,
    commit: writer.commit,
    commitAlone: writer.commitAlone,
    currentPosition: feed.position,
    catchUp: () => undefined,
    onChanges: feed.listen,
    reserveIds: createIdBlocks(reserveBy(writer.reserve), options.idBlock ?? 1000),
    async close() {
      await writer.close();
      await long.close();
      connection.close();
    },
  };
}
