import { readHistoryEvents } from '@portico/storage/stores/events/history.ts';
import type { Reader } from '@portico/storage';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import type { CheckedPdu } from '../rooms/check-pdus.ts';

/** Events of a room's past that belong together. */
export type Stretch = {
  /** Those that have no place in the timeline yet, the oldest first. */
  readonly events: readonly CheckedPdu[];
  /** Events that these follow, or that were wanted, which still have no place. */
  readonly missing: readonly string[];
};

type Wanted = {
  readonly roomNid: number;
  readonly eventIds: readonly string[];
  /** Of the event that they come before. */
  readonly depth: number;
};

/**
 * What is new, in what a server has given, of some events and those before them. What it leaves out, since it was rejected
 * there or for any other reason, hides nothing of what lies behind; but nothing counts that is no older than the gap.
 */
export async function connect(
  reader: Reader,
  { roomNid, eventIds: wanted, depth }: Wanted,
  received: readonly CheckedPdu[],
): Promise<Stretch> {
  const byId = new Map(received.map((each) => [each.event.eventId, each]));
  const named = new Set([...wanted, ...byId.keys(), ...received.flatMap(({ event }) => event.prevEvents)]);
  const known = new Map((await readHistoryEvents(reader, [...named])).map((row) => [row.event_id, row]));
  const isOver = (eventId: string): boolean => {
    const row = known.get(eventId);
    return row !== undefined && (row.status === eventStatus.accepted || row.room_nid !== roomNid);
  };
  const found = new Map<string, CheckedPdu>();
  const missing = new Set<string>();
  const older = received.filter(({ event }) => event.depth < depth).map(({ event }) => event.eventId);
  const next = [...older, ...wanted];
  for (let eventId = next.pop(); eventId !== undefined; eventId = next.pop()) {
    if (found.has(eventId) || isOver(eventId)) continue;
    const each = byId.get(eventId);
    if (each === undefined) missing.add(eventId);
    else {
      found.set(eventId, each);
      next.push(...each.event.prevEvents);
    }
  }
  // What was asked for, and not given although there is more behind it, is not to be had here.
  if (found.size > 0) for (const eventId of wanted) missing.delete(eventId);
  return { events: inOrderOfDepth([...found.values()]), missing: [...missing] };
}

/**
 * Each event after those that it follows, and otherwise by depth: where something is left out between events, that is all
 * that says which is older. Events that are in a circle are left out.
 */
function inOrderOfDepth(events: readonly CheckedPdu[]): CheckedPdu[] {
  const waiting = new Map(
    events.toSorted((a, b) => compare(a.event, b.event)).map((each) => [each.event.eventId, each]),
  );
  const ordered: CheckedPdu[] = [];
  for (let found: CheckedPdu | undefined; ;) {
    found = waiting.values().find(({ event }) => !event.prevEvents.some((eventId) => waiting.has(eventId)));
    if (found === undefined) return ordered;
    waiting.delete(found.event.eventId);
    ordered.push(found);
  }
}

type Placed = CheckedPdu['event'];

function compare(a: Placed, b: Placed): number {
  return a.depth - b.depth || a.originServerTs - b.originServerTs || (a.eventId < b.eventId ? -1 : 1);
}
