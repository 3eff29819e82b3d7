import { isJsonObject, parseJson } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { readPdusById, readPdusUpTo, type StoredPduRow } from '@portico/storage/stores/federation/federation-rooms.ts';

type WalkOptions = {
  readonly limit: number;
  readonly stopAt?: ReadonlySet<string>;
  /** Events of less depth are left out, and what lies behind them. */
  readonly minDepth?: number;
  /** Events before which the walk begins, where they are not among those that it begins with. */
  readonly before?: readonly StoredPduRow[];
};

/** Queries for events that do not lie where most do: in the order of the room's timeline. */
const mostDetours = 20;
/** Events passed over, for each one that is found. */
const mostPassed = 5;

/**
 * Walks from events backwards along their previous events, the newest first. Rejected events, and others that are not in
 * the room, are passed over: what lies behind them is found all the same. Behind more of them than are passed, that is what came
 * before in the room's timeline: whoever may send something that is rejected could otherwise end its history for others.
 */
export async function walkBack(
  reader: Reader,
  roomNid: number,
  from: readonly string[],
  { limit, stopAt = new Set(), minDepth = 0, before = [] }: WalkOptions,
): Promise<StoredPduRow[]> {
  const loaded = new Map<string, StoredPduRow>();
  const found: StoredPduRow[] = [];
  const seen = new Set<string>();
  let next = new Set(from);
  for (let detours = 0; next.size > 0 && found.length < limit && seen.size < limit * mostPassed;) {
    const absent = [...next].filter((eventId) => !loaded.has(eventId));
    if (absent.length > 0) {
      if (++detours > mostDetours) break;
      await load(absent);
    }
    const rows = [...next].map((eventId) => loaded.get(eventId)).filter((row) => row !== undefined);
    next = new Set();
    for (const row of rows.toSorted((a, b) => b.depth - a.depth)) {
      seen.add(row.event_id);
      if (row.room_nid !== roomNid || row.depth < minDepth) continue;
      if (row.status === eventStatus.accepted && found.length < limit) found.push(row);
      for (const eventId of previousOf(row.pdu)) if (!seen.has(eventId) && !stopAt.has(eventId)) next.add(eventId);
    }
  }
  if (next.size > 0 && found.length < limit) await goOnInTimeline();
  return found;

  async function goOnInTimeline(): Promise<void> {
    const placed = [...before, ...found].filter((row) => row.room_order !== null);
    const newest = placed.toSorted((a, b) => (b.room_order ?? 0) - (a.room_order ?? 0)).at(0);
    if (newest === undefined) return;
    const known = new Set([...placed.map((row) => row.event_id), ...stopAt]);
    const rows = await readPdusUpTo(reader, roomNid, newest.room_order ?? 0, limit + before.length);
    const others = rows.filter((row) => !known.has(row.event_id) && row.depth >= minDepth && row.depth <= newest.depth);
    found.push(...others.slice(0, limit - found.length));
    found.sort((a, b) => b.depth - a.depth);
  }

  /** With those that come before them in the timeline, where the walk is likely to go on. */
  async function load(eventIds: readonly string[]): Promise<void> {
    const rows = await readPdusById(reader, eventIds);
    const order = Math.max(-1, ...rows.map((row) => (row.room_nid === roomNid ? (row.room_order ?? -1) : -1)));
    const before = order < 0 ? [] : await readPdusUpTo(reader, roomNid, order, limit);
    for (const row of [...rows, ...before]) loaded.set(row.event_id, row);
  }
}

export function previousOf(text: string): string[] {
  const pdu = parseJson(text, 'lenient');
  const previous = isJsonObject(pdu) ? pdu['prev_events'] : undefined;
  const list = Array.isArray(previous) ? (previous as readonly unknown[]) : [];
  return list
    .map((each) => (Array.isArray(each) ? (each as readonly unknown[])[0] : each))
    .filter((each) => typeof each === 'string');
}
