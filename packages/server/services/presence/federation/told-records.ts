import type { Recipients } from '@portico/protocol/privacy/presence/recipients.ts';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  addTold,
  readPeopleTold,
  readTold,
  removeTold,
  type ToldRow,
} from '@portico/storage/stores/presence/presence-told.ts';
import type { After } from '../../sync/waiting.ts';
import { inSteps } from '../../in-steps.ts';
import {
  beginEnd,
  finishEnd,
  isKnownRow,
  isNothingTold,
  newToldRecord,
  noteForgotten,
  recipientsOf,
  rowsOf,
  takeBack,
  type ToldRecord,
  united,
} from './told-record.ts';

/**
 * For whom other servers have been told that somebody is not offline, as it is stored: before they are told, until they have
 * taken that it is over. So the process that comes after one that was killed can take back what that one had said. Who is told
 * the same of somebody again costs nothing.
 */
export interface ToldRecords {
  /** Of whom something was told, to whichever server; some at a time. */
  people(): AsyncGenerator<readonly string[], void, void>;
  /**
   * The servers that may have been told of a person by other processes, or by this one, whose word that it is over has been
   * lost since; `known` and `forgotten` say for whom.
   */
  load(userId: string): Promise<ReadonlySet<string>>;
  /** For whom a server may believe that somebody is not offline. */
  known(userId: string, host: string): readonly Recipients[];
  /** Of those, the ones for whom nothing is under way, and to whom this process says nothing either. */
  forgotten(userId: string, host: string): readonly Recipients[];
  /** These are about to be told. Resolves when that is stored; `undefined` if it is. */
  add(userId: string, told: Iterable<readonly [host: string, recipients: Recipients]>): Promise<void> | undefined;
  /**
   * These, or all, are about to be told that it is over. Call what it gives when that has arrived, or is dropped. Yields
   * between steps.
   */
  over(userId: string, host: string, recipients: Recipients | 'all'): Generator<void, OnEnd, void>;
  close(): Promise<void>;
}

type OnEnd = (hasArrived: boolean) => void;
type Steps = Generator<void, WriteSet, void>;

type Dependencies = {
  readonly db: Database;
  readonly after: After;
  /** It is not known to have arrived at a server that it is over for somebody. */
  readonly onLost: (userId: string, host: string) => void;
  readonly onFailure: (error: unknown) => void;
};

/** Who goes and comes back soon costs nothing. */
const removeAfter = 60_000;
const perPage = 5000;
const peoplePerPage = 500;
const perCommit = 200;
const perStatement = 1000;

export function createToldRecords({ db, after, onLost, onFailure }: Dependencies): ToldRecords {
  const people = new Map<string, Map<string, ToldRecord>>();
  /** Stored, and not needed any more. */
  const leaving = new Map<string, Map<string, Set<string>>>();
  let stopTimer: (() => void) | undefined;
  let writing: Promise<void> = Promise.resolve();

  function recordOf(userId: string, host: string): ToldRecord {
    const hosts = people.get(userId) ?? new Map<string, ToldRecord>();
    people.set(userId, hosts);
    const record = hosts.get(host) ?? newToldRecord();
    hosts.set(host, record);
    return record;
  }

  function dropIfEmpty(userId: string, host: string, record: ToldRecord): void {
    const hosts = people.get(userId);
    if (!isNothingTold(record) || hosts?.get(host) !== record) return;
    hosts.delete(host);
    if (hosts.size === 0) people.delete(userId);
  }

  function leave(userId: string, host: string, recipients: Set<string>): void {
    const hosts = leaving.get(userId) ?? new Map<string, Set<string>>();
    leaving.set(userId, hosts);
    hosts.set(host, united(recipients, hosts.get(host)));
    stopTimer ??= after(removeAfter, () => {
      stopTimer = undefined;
      removeLeaving();
    });
  }

  function* removalOf(due: readonly (readonly [string, Map<string, Set<string>>])[]): Steps {
    const set = createWriteSet();
    for (const [userId, hosts] of due) {
      let rows: ToldRow[] = [];
      for (const [host, all] of hosts) {
        for (const recipient of all) {
          rows.push({ host, recipient });
          if (rows.length < perStatement) continue;
          removeTold(set, userId, rows);
          rows = [];
          yield;
        }
      }
      if (rows.length > 0) removeTold(set, userId, rows);
    }
    return set;
  }

  function removeLeaving(): void {
    const due = [...leaving];
    leaving.clear();
    for (let start = 0; start < due.length; start += perCommit) {
      const some = due.slice(start, start + perCommit);
      writing = writing.then(async () => void (await db.commit(await inSteps(removalOf(some))))).catch(onFailure);
    }
  }

  function* additionOf(userId: string, told: Iterable<readonly [string, Recipients]>, added: ToldRow[]): Steps {
    const set = createWriteSet();
    let rows: ToldRow[] = [];
    let done = 0;
    for (const [host, recipients] of told) {
      if (recipients.kind === 'nobody') continue;
      const record = recordOf(userId, host);
      if (record.last === recipients) continue;
      const left = leaving.get(userId)?.get(host);
      for (const recipient of rowsOf(recipients)) {
        takeBack(record, recipient);
        if (!record.rows.has(recipient)) {
          record.rows.add(recipient);
          added.push({ host, recipient });
          if (left?.delete(recipient) !== true) rows.push({ host, recipient });
        }
        if (++done % perStatement > 0) continue;
        if (rows.length > 0) addTold(set, userId, rows);
        rows = [];
        yield;
      }
      record.last = recipients;
    }
    if (rows.length > 0) addTold(set, userId, rows);
    return set;
  }

  /** What may not have been stored is to be stored the next time, and may have been told before. */
  function undo(userId: string, added: readonly ToldRow[]): void {
    for (const { host, recipient } of added) {
      const record = recordOf(userId, host);
      record.last = undefined;
      if (record.rows.delete(recipient)) noteForgotten(record, recipient);
    }
  }

  async function commit(set: WriteSet): Promise<void> {
    if (set.writes.length > 0) await db.commit(set);
  }

  return {
    async *people() {
      for (let after = ''; ;) {
        const some = await readPeopleTold(db.long, after, peoplePerPage);
        yield some;
        after = some.at(-1) ?? after;
        if (some.length < peoplePerPage) return;
      }
    },
    async load(userId) {
      const hosts = new Set<string>();
      for (let place: ToldRow = { host: '', recipient: '' }; ;) {
        const page = await readTold(db, userId, place, perPage);
        for (const { host, recipient } of page) {
          if (leaving.get(userId)?.get(host)?.has(recipient) === true) continue;
          const record = recordOf(userId, host);
          if (isKnownRow(record, recipient)) continue;
          noteForgotten(record, recipient);
          hosts.add(host);
        }
        place = page.at(-1) ?? place;
        if (page.length < perPage) return hosts;
      }
    },
    known(userId, host) {
      const record = people.get(userId)?.get(host);
      return record === undefined ? [] : recipientsOf([record.rows, ...record.ending.values()]);
    },
    forgotten(userId, host) {
      const group = people.get(userId)?.get(host)?.ending.get(0);
      return group === undefined ? [] : recipientsOf([group]);
    },
    add(userId, told) {
      const added: ToldRow[] = [];
      const steps = additionOf(userId, told, added);
      const first = steps.next();
      // Mostly nothing is new, or little.
      if (first.done === true && first.value.writes.length === 0) return undefined;
      const set = first.done === true ? first.value : inSteps(steps);
      const storing = writing.then(async () => commit(await set));
      writing = storing.catch(() => undo(userId, added));
      return storing;
    },
    *over(userId, host, recipients) {
      const record = recordOf(userId, host);
      const end = yield* beginEnd(record, recipients);
      return (hasArrived) => {
        // Of others something else has been said since: these wait for that.
        const mine = finishEnd(record, end);
        dropIfEmpty(userId, host, record);
        if (mine.size === 0) return;
        if (hasArrived) leave(userId, host, mine);
        else onLost(userId, host);
      };
    },
    async close() {
      stopTimer?.();
      removeLeaving();
      await writing;
    },
  };
}
