import type { Sql, SqlValue } from './sql.ts';

/** Answers questions; never changes anything. Rows are plain objects keyed by column name, in the order of the query. */
export interface Reader {
  all<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params): Promise<Row[]>;
  get<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params): Promise<Row | undefined>;
}

/** Stands in a parameter list for a stream position that is known only when the group of the write set is formed. */
export type PositionParam = { readonly position: number };

export type WriteParam = SqlValue | PositionParam;

export type Write = {
  readonly statement: Sql<unknown, never>;
  readonly params: readonly WriteParam[];
  /** How many rows the statement must change, or `undefined` where any number will do. */
  readonly expect: number | undefined;
  /** What a wrong row count means, as the committer will be told: a stable name such as `room.head` or `user.taken`. */
  readonly guard: string | undefined;
  /** Whether the rows of a `returning` clause are handed back with the acknowledgement. */
  readonly returning: boolean;
};

/**
 * Something that caches or waiting requests of any process may want to know about once it is committed. `kind` is a
 * stable name such as `room` or `account_data`; `key` says which one.
 */
export type Change = { readonly kind: string; readonly key: string | number };

/**
 * What one decision wants written, all or nothing. Writers append to it and return nothing: no statement may depend on
 * the result of another one except through guards.
 */
export interface WriteSet {
  readonly writes: readonly Write[];
  readonly changes: readonly Change[];
  /** How many stream positions the set takes. */
  readonly positions: number;
  add<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params): void;
  /** Adds a statement that must change exactly `rows` rows; otherwise the whole set fails with `GuardFailed(guard)`. */
  guard<Row, Params extends readonly unknown[]>(
    guard: string,
    rows: number,
    statement: Sql<Row, Params>,
    params: Params,
  ): void;
  /** Adds a statement whose `returning` rows the acknowledgement carries, in `Committed.returned`, in order of adding. */
  returning<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params): void;
  /** Takes one more stream position, for use in the parameters of this set. The first is 0. */
  takePosition(): PositionParam;
  change(kind: string, key: string | number): void;
}

export type Committed = {
  /** The stream positions that the set took, ascending; in commit order across all processes. */
  readonly positions: readonly number[];
  readonly returned: readonly (readonly unknown[])[];
};

/** While nobody else can commit. A decision that comes when the turn is `over` has come too late. */
export type Turn = { readonly over: boolean };

export type CommittedChanges = { readonly position: number; readonly changes: readonly Change[] };

/**
 * What processes that share a database tell each other and nobody keeps: whoever is away misses it. Where there is one process
 * nothing is sent.
 */
export type ProcessMessages = {
  /** Whether there may be others. */
  readonly isShared: boolean;
  /** At most `maxMessageBytes` of UTF-8. */
  send(topic: string, text: string): void;
  /** Calls back with what others send. Returns the function that stops it. */
  on(topic: string, listener: (text: string) => void): () => void;
};

export interface Database extends Reader {
  readonly kind: 'sqlite' | 'postgres';
  readonly messages: ProcessMessages;
  /** For reads that may take long (initial syncs, search, exports): on SQLite a thread of their own. */
  readonly long: Reader;
  /**
   * Writes a set, in one transaction with other sets that wait at the same moment. Resolves after the commit (with
   * durability `full`, after its sync to disk).
   *
   * Rejects with `StorageError`: `guard-failed` (nothing was written), `overloaded` (the queue is full, nothing was
   * written), `unavailable` (nothing was written), `disk-full` (nothing was written), `outcome-unknown` (the connection
   * was lost while committing: it may or may not have been written).
   */
  commit(set: WriteSet): Promise<Committed>;
  /**
   * Makes a decision while nobody else, of any process, can commit, and writes what it leads to: for those who were too late
   * several times with a decision made beforehand. What `decide` reads is all that is committed. Decisions that wait at the
   * same moment share a turn, one after the other, and none sees what those before it in the turn have not committed yet.
   *
   * `decide` must not wait for a commit, and must not take long. What it throws rejects; otherwise as `commit`.
   */
  commitAlone(decide: (turn: Turn) => Promise<WriteSet>): Promise<Committed>;
  /** The newest committed position that this process has seen. Everything up to it can be read. */
  currentPosition(): number;
  /**
   * Resolves when this process has heard of all that was committed before the call, by whichever process. `undefined` while no
   * other one is known of: there is nothing to wait for. Where the database is out of reach nothing is waited for either.
   */
  catchUp(): Promise<void> | undefined;
  /**
   * Calls `listener` with every committed change, of this process or another one, in order of position, once. Returns
   * the function that stops it. A commit's changes are delivered before its `commit` resolves.
   */
  onChanges(listener: (batch: readonly CommittedChanges[]) => void): () => void;
  /** Reserves `count` consecutive numbers of a sequence; they are never handed out again. Served from blocks in memory. */
  reserveIds(sequence: string, count: number): Promise<number>;
  close(): Promise<void>;
}
