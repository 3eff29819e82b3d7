import type { Recipients } from '@portico/protocol/privacy/presence/recipients.ts';

/** For whom one server has been told that somebody is not offline, as rows: user IDs, patterns, or `everyone`. */
export type ToldRecord = {
  /** What was added last. */
  last: Recipients | undefined;
  /** Stored. */
  rows: Set<string>;
  /** Stored, and perhaps told by now that it is over: by the number of the last word of that; 0 for none. */
  readonly ending: Map<number, Set<string>>;
  /** Counts how often something was said to be over; and the last time that all of it was. */
  ends: number;
  lastOfAll: number;
};

/** Stands for all on a server who share a room. */
const everyone = '';
const nobody: Set<string> = new Set();
/** Rows that are gone through at once. */
const perStep = 1000;

export function newToldRecord(): ToldRecord {
  return { last: undefined, rows: new Set(), ending: new Map(), ends: 0, lastOfAll: 0 };
}

export function isNothingTold({ rows, ending }: ToldRecord): boolean {
  return rows.size + ending.size === 0;
}

/** The rows that stand for recipients. */
export function rowsOf(recipients: Recipients): Iterable<string> {
  if (recipients.kind === 'nobody') return [];
  return recipients.kind === 'everyone' ? [everyone] : recipients.recipients;
}

/** Whom rows stand for. */
export function recipientsOf(groups: readonly ReadonlySet<string>[]): Recipients[] {
  const all = groups.flatMap((group) => [...group]);
  const names = all.filter((row) => row !== everyone);
  return [
    ...(names.length < all.length ? [{ kind: 'everyone' } as const] : []),
    ...(names.length > 0 ? [{ kind: 'listed', recipients: names } as const] : []),
  ];
}

/** Whether a row is stored, or something is under way that says that it is over. */
export function isKnownRow({ rows, ending }: ToldRecord, row: string): boolean {
  return rows.has(row) || ending.entries().some(([end, all]) => end > 0 && all.has(row));
}

/** Notes that somebody may believe what nobody takes back: a process before this one told them, or a word of it was lost. */
export function noteForgotten(record: ToldRecord, row: string): void {
  groupOf(record, 0).add(row);
}

/** Takes a row out of those that are ending, and says whether it was among them. */
export function takeBack({ ending }: ToldRecord, row: string): boolean {
  for (const [end, group] of ending) {
    if (!group.delete(row)) continue;
    if (group.size === 0) ending.delete(end);
    return true;
  }
  return false;
}

/** Notes that these, or all, are about to be told that it is over; and gives the number of that word. Yields between steps. */
export function* beginEnd(record: ToldRecord, recipients: Recipients | 'all'): Generator<void, number, void> {
  record.last = undefined;
  const end = ++record.ends;
  if (recipients === 'all') {
    // What said so before has not arrived: this takes its place.
    const all = [record.rows, record.ending.get(0), record.ending.get(record.lastOfAll)];
    record.ending.delete(0);
    record.ending.delete(record.lastOfAll);
    record.rows = new Set();
    record.lastOfAll = end;
    record.ending.set(
      end,
      all.reduce<Set<string>>((one, other) => united(one, other), new Set()),
    );
    return end;
  }
  let done = 0;
  for (const row of rowsOf(recipients)) {
    if (record.rows.delete(row) || takeBack(record, row)) groupOf(record, end).add(row);
    if (++done % perStep === 0) yield;
  }
  return end;
}

/** The word with that number is under way no longer: the rows that waited for it, and for nothing that was said since. */
export function finishEnd({ ending }: ToldRecord, end: number): Set<string> {
  const mine = ending.get(end) ?? nobody;
  ending.delete(end);
  return mine;
}

function groupOf({ ending }: ToldRecord, end: number): Set<string> {
  const group = ending.get(end) ?? new Set();
  ending.set(end, group);
  return group;
}

/** Mostly one of them is empty. */
export function united(one: Set<string>, other: Set<string> = nobody): Set<string> {
  if (other.size === 0) return one;
  return one.size === 0 ? other : one.union(other);
}
