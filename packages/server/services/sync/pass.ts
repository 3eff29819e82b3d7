import type { Filter } from '@portico/protocol/sync-filter/filter.ts';
import type { ReadingContext } from '../reading/context.ts';
import type { Reader } from '@portico/storage';
import type { StateRoots } from './state-roots.ts';
import type { LazyMemory } from './lazy-memory.ts';

/** One attempt to answer a request: what the client has, how far the answer goes, and what it should look like. */
export type SyncPass = {
  readonly userId: string;
  readonly deviceId: string;
  /** The position that the client has; `undefined` for an initial sync. */
  readonly since: number | undefined;
  readonly upTo: number;
  readonly fullState: boolean;
  readonly filter: Filter;
  readonly shape: number;
  /** The name of the field that state goes into. */
  readonly stateField: 'state' | 'state_after' | 'org.matrix.msc4222.state_after';
  readonly now: number;
  readonly ignored: ReadonlySet<string>;
  readonly memory: LazyMemory;
};

export type SyncContext = Pick<
  ReadingContext,
  'db' | 'states' | 'visibility' | 'inviteRules' | 'erasedSenders' | 'wholeRooms'
> & {
  readonly roots: StateRoots;
};

/** Few rooms are read at once; many by the thread that is there for it. */
export function readerFor({ db }: SyncContext, rooms: number): Reader {
  return rooms > 100 ? db.long : db;
}

export function isStateAfter({ stateField }: SyncPass): boolean {
  return stateField !== 'state';
}
