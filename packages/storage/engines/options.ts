import type { Migration } from '../migrations/migration.ts';
import type { FailpointSetting } from './failpoints.ts';

export type StorageLog = (level: 'info' | 'warn' | 'error', message: string, details?: object) => void;

/** What the engines report about their work; all optional, called rarely (per group at most). */
export type StorageMetrics = {
  /** A group was committed. `waited` and `took` are milliseconds: of its oldest set in the queue, and of the transaction. */
  readonly group?: (group: { sets: number; bytes: number; waited: number; took: number }) => void;
  readonly checkpoint?: (checkpoint: { pages: number; took: number }) => void;
  /** Sets were refused because the queue was full. */
  readonly overloaded?: () => void;
  readonly reconnected?: () => void;
};

export type OpenOptions = {
  /** `sqlite:path` or `postgres://user:password@host:port/name`. */
  readonly url: string;
  /** `full`: acknowledged means synced to disk. `relaxed`: survives a kill, may lose the last moment at a power cut. */
  readonly durability?: 'full' | 'relaxed';
  readonly log?: StorageLog;
  readonly metrics?: StorageMetrics;
  /** Bytes of page cache of the two SQLite connections, and of the file they may map into memory: none by default, since every
   * commit unmaps it again, and reads beside writes then take three times as long. */
  readonly cacheSizes?: { readonly reader?: number; readonly writer?: number; readonly mapped?: number };
  /** SQLite: refuses to grow beyond this many bytes, as a full disk would. */
  readonly maxBytes?: number;
  /** PostgreSQL: connections for reads, and how long one statement may take, in milliseconds. */
  readonly readers?: number;
  readonly readTimeout?: number;
  /** PostgreSQL: after how many milliseconds without an answer the other connections are given up. */
  readonly answerTimeout?: number;
  /** PostgreSQL: after how many milliseconds the server ends a transaction in which this process, perhaps stopped, asks for nothing. */
  readonly idleInTransactionTimeout?: number;
  readonly queue?: { readonly sets?: number; readonly bytes?: number };
  /** How many numbers of a sequence are reserved at once. */
  readonly idBlock?: number;
  /** For crash tests: where the process kills itself. */
  readonly failpoint?: FailpointSetting;
  /** For tests of the migrations themselves. */
  readonly migrations?: readonly Migration[];
};
