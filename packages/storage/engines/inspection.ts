import type { Reader } from '../database.ts';

/** A database that is looked at as it is, without bringing its schema up to date. */
export type Inspection = {
  readonly reader: Reader;
  /** `PostgreSQL 18.4`. */
  readonly engine: string;
  /** The number of its newest migration; `undefined` where there are no tables of ours. */
  readonly schemaVersion: number | undefined;
  /** Milliseconds that its clock is ahead of this process's; 0 where that is the same clock. */
  readonly clockAhead: number;
  /** Looks through all of it, as fast as the engine can. What is damaged, as sentences; SQLite only. */
  readonly findDamage: () => string[];
  /** What works and should be otherwise, as sentences. */
  readonly remarks: readonly string[];
  readonly close: () => Promise<void>;
};
