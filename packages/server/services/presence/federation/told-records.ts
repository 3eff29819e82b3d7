import type { Recipients } from '@portico/protocol/privacy/presence/recipients.ts';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { addTold, readPeopleTold, readTold, removeTold, type ToldRow } from '@portico/storage/stores/presence-told.ts';
import type { After } from '../../sync/waiting.ts';
import { inSteps } from '../in-steps.ts';

/**
 * For whom other servers have been told that somebody is not offline, as it is stored: before they are told, until they have
 * taken that it is over. So the process that comes after one that was killed can take back what that one had said. Who is told
 * the same of somebody again costs nothing.
 */
export interface ToldRecords {
  /** Of whom something was told before this process. */
  people(): Promise<readonly string[]>;
  /** The servers that may have been told of a person before this process; `known` says for whom. */
  load(userId: string): Promise<ReadonlySet<string>>;
  /** For whom a server may believe that somebody is not offline. */
  known(userId: string, host: string): readonly Recipients[];
  /** These are about to be told. Resolves when that is stored; `undefined` if it is. */
  add(userId: string, told: Iterable<readonly [host: string, recipients: Recipients]>): Promise<void> | undefined;
  /** These, or all, are about to be told that it is over. Call what it gives when that has arrived, or is dropped. */
  over(userId: string, host: string, recipients: Recipients | 'all'): (hasArrived: boolean) => void;
  close(): Promise<void>;
}

type Steps = Generator<void, WriteSet, void>;

type Record = {
  /** What was added last. */
  last: Recipients | undefined;
  /** Stored. */
  readonly rows: Set<string>;
  /** Stored, and perhaps told by now that it is over. */
  readonly ending: Set<string>;
  /** Counts how often something was said to be over. */
  ends: number;
};

type Dependencies = { readonly db: Database; readonly after: After; readonly onFailure: (error: unknown) => void };

/** Who goes and comes back soon costs nothing. */
const removeAfter = 60_000;
const perPage = 5000;
const perCommit = 200;
const perStatement = 1000;
/** Stands for all on a server who share a room. */
const everyone = '';

export function createToldRecords({ db, after, onFailure }: Dependencies): ToldRecords {
  const people = new Map<string, Map<string, Record>>();
  /** Stored, and not needed any more. */
  const leaving = new Map<string, Map<string, Set<string>>>();
  let stopTimer: (() => void) | undefined;
  let writing: Promise<void> = Promise.resolve();

  function recordOf(userId: string, host: string): Record {
    const hosts = people.get(userId) ?? new Map<string, Record>();
    people.set(userId, hosts);
    const record = hosts.get(host) ?? { last: undefined, rows: new Set(), ending: new Set(), ends: 0 };
    hosts.set(host, record);
    return record;
  }

  function drop(userId: string, host: string): void {
    const hosts = people.get(userId);
    hosts?.delete(host);
    if (hosts?.size === 0) people.delete(userId);
  }

  function leave(userId: string, host: string, recipients: ReadonlySet<string>): void {
    const hosts = leaving.get(userId) ?? new Map<string, Set<string>>();
    leaving.set(userId, hosts);
    hosts.set(host, recipients.union(hosts.get(host) ?? new Set()));
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

  function* additionOf(userId: string, told: Iterable<readonly [string, Recipients]>): Steps {
    const set = createWriteSet();
    let rows: ToldRow[] = [];
    let done = 0;
    for (const [host, recipients] of told) {
      if (recipients.kind === 'nobody') continue;
      const record = recordOf(userId, host);
      if (record.last === recipients) continue;
      const left = leaving.get(userId)?.get(host);
      for (const recipient of namesOf(recipients)) {
        record.ending.delete(recipient);
        if (!record.rows.has(recipient)) {
          record.rows.add(recipient);
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

  /** What was not stored after all is to be stored the next time. */
  function undo(userId: string, told: Iterable<readonly [string, Recipients]>): void {
    for (const [host] of told) {
      const record = recordOf(userId, host);
      record.last = undefined;
      record.rows.clear();
    }
  }

  async function commit(set: WriteSet): Promise<void> {
    if (set.writes.length > 0) await db.commit(set);
  }

  return {
    people: () => readPeopleTold(db.long),
    async load(userId) {
      for (let place: ToldRow = { host: '', recipient: '' }; ;) {
        const page = await readTold(db, userId, place, perPage);
        for (const { host, recipient } of page) recordOf(userId, host).rows.add(recipient);
        place = page.at(-1) ?? place;
        if (page.length < perPage) break;
      }
      return new Set(people.get(userId)?.keys());
    },
    known(userId, host) {
      const record = people.get(userId)?.get(host);
      return record === undefined ? [] : recipientsOf(record.rows.union(record.ending));
    },
    add(userId, told) {
      const steps = additionOf(userId, told);
      const first = steps.next();
      // Mostly nothing is new, or little.
      if (first.done === true && first.value.writes.length === 0) return undefined;
      const set = first.done === true ? first.value : inSteps(steps);
      const storing = writing.then(async () => commit(await set));
      writing = storing.catch(() => undo(userId, told));
      return storing;
    },
    over(userId, host, recipients) {
      const record = recordOf(userId, host);
      record.last = undefined;
      for (const each of recipients === 'all' ? [...record.rows] : namesOf(recipients)) {
        if (record.rows.delete(each)) record.ending.add(each);
      }
      const end = ++record.ends;
      return (hasArrived) => {
        // Something else has been said to be over since: these wait for that.
        if (end !== record.ends) return;
        if (hasArrived && record.ending.size > 0) leave(userId, host, record.ending);
        record.ending.clear();
        if (record.rows.size === 0) drop(userId, host);
      };
    },
    async close() {
      stopTimer?.();
      removeLeaving();
      await writing;
    },
  };
}

function namesOf(recipients: Recipients): Iterable<string> {
  if (recipients.kind === 'nobody') return [];
  return recipients.kind === 'everyone' ? [everyone] : recipients.recipients;
}

function recipientsOf(rows: ReadonlySet<string>): Recipients[] {
  const names = [...rows].filter((row) => row !== everyone).sort();
  return [
    ...(rows.has(everyone) ? [{ kind: 'everyone' } as const] : []),
    ...(names.length > 0 ? [{ kind: 'listed', recipients: names } as const] : []),
  ];
}
