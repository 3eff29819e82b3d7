import { DatabaseSync } from 'node:sqlite';

export type ConnectionSettings = {
  readonly path: string;
  readonly readOnly: boolean;
  readonly synchronous: 'full' | 'normal';
  readonly cacheBytes: number;
  readonly mappedBytes: number;
  readonly maxBytes: number | undefined;
};

const pageSize = 4096;

export function openConnection(settings: ConnectionSettings): DatabaseSync {
  const connection = new DatabaseSync(settings.path, {
    readOnly: settings.readOnly,
    enableForeignKeyConstraints: false,
    // The command line may look at the database beside a running server; nothing else holds locks.
    timeout: 5000,
  });
  connection.exec(`pragma cache_size = ${-Math.ceil(settings.cacheBytes / 1024)}`);
  connection.exec(`pragma mmap_size = ${settings.mappedBytes}`);
  connection.exec('pragma temp_store = memory');
  if (settings.readOnly) return connection;
  connection.exec(`pragma page_size = ${pageSize}`);
  connection.exec('pragma journal_mode = wal');
  connection.exec(`pragma synchronous = ${settings.synchronous}`);
  connection.exec('pragma wal_autocheckpoint = 0');
  // What was erased is not to be found in the file until something else happens to be written over it.
  connection.exec('pragma secure_delete = on');
  // After a burst that a long read kept from being checkpointed, the log shrinks to this.
  connection.exec(`pragma journal_size_limit = ${64 * 1024 * 1024}`);
  if (settings.maxBytes !== undefined) {
    connection.exec(`pragma max_page_count = ${Math.ceil(settings.maxBytes / pageSize)}`);
  }
  return connection;
}
