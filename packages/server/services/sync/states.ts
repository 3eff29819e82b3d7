import { passesNothing, passesRooms } from '@portico/protocol/sync-filter/event-filter.ts';
import type { StatePart } from '@portico/storage/state-trie/index.ts';
import {
  readCurrentMembers,
  readCurrentState,
  type RootedStateRow,
} from '@portico/storage/stores/rooms/current-state-read.ts';
import { readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { endOfPosition } from '../reading/tokens.ts';
import { answered } from '../reading/visibility.ts';
import { readerFor, type SyncContext, type SyncPass } from './pass.ts';
import type { PlacedTimeline } from './placed-timeline.ts';
import { isStraight } from './state-roots.ts';

export type Members = readonly (readonly [roomNid: number, userId: string])[];

type Rows = Map<number, ClientEventRow[]>;

/** How a room's state differs from what it was. */
export type StateDelta = {
  /** Entries that are new, or other events now. */
  readonly changed: readonly ClientEventRow[];
  /** The last events of entries that are no more. */
  readonly gone: readonly ClientEventRow[];
};
type Look = Pick<SyncPass, 'stateField' | 'filter'>;

const membersType = 'm.room.member';

/** What changed in the state, besides what the timeline tells, since what the client has. */
export async function readStateDeltas(
  context: SyncContext,
  rooms: readonly PlacedTimeline[],
  look: Look,
): Promise<ReadonlyMap<number, StateDelta>> {
  const wanted = rooms.filter((room) => mayHaveState(room, look));
  const places = wanted.map(({ span }) => ({ nid: span.nid, place: span.after }));
  const before = await context.roots.at(readerFor(context, places.length), places);
  const isAfter = look.stateField !== 'state';
  const changed = new Map<number, ReadonlySet<number>>();
  const gone = new Map<number, ReadonlySet<number>>();
  for (const [index, room] of wanted.entries()) {
    const { nid } = room.span;
    const { rows, isComplete } = room.timeline;
    const rootBefore = before[index] ?? 0;
    if (isComplete && isStraight(rows, rootBefore)) {
      if (!isAfter) continue;
      const last = lastOfEachKey(rows).map((row) => row.event_nid);
      changed.set(nid, new Set(last));
    } else if (rootBefore !== room.end) {
      const difference = await changedNids(context, room, rootBefore, isAfter);
      changed.set(nid, difference.changed);
      gone.set(nid, difference.gone);
    }
  }
  const found = await readRows(context, rooms, changed);
  const lost = await readRows(context, rooms, gone);
  return new Map(
    Array.from(found, ([nid, rows]): [number, StateDelta] => [nid, { changed: rows, gone: lost.get(nid) ?? [] }]),
  );
}

async function changedNids(
  context: SyncContext,
  room: PlacedTimeline,
  rootBefore: number,
  isAfter: boolean,
): Promise<{ readonly changed: ReadonlySet<number>; readonly gone: ReadonlySet<number> }> {
  const nids = new Set<number>();
  const known = new Set<number>();
  const gone = new Set<number>();
  for (const { before, after } of await differences(context, rootBefore, room.end)) {
    if (after !== undefined) nids.add(after);
    if (before !== undefined) known.add(before);
    if (before !== undefined && after === undefined) gone.add(before);
  }
  if (!isAfter) takeBack(room, nids);
  return { changed: nids.difference(known), gone };
}

/** The whole state that belongs with each timeline; of lazily loaded members only those named. */
export async function readFullStates(
  context: SyncContext,
  rooms: readonly PlacedTimeline[],
  pass: SyncPass,
  members: Members,
): Promise<Rows> {
  const lazy = pass.filter.room.state.lazyLoadMembers;
  const wanted = rooms.filter((room) => mayHaveState(room, pass));
  const reader = readerFor(context, wanted.length);
  const nids = wanted.map(({ span }) => span.nid);
  const current = await readCurrentState(reader, nids, lazy ? 'without-members' : 'all');
  if (!lazy) return readAsOf(context, wanted, pass, current);
  current.push(...(await readCurrentMembers(reader, members)));
  const rows = await readAsOf(context, wanted, pass, current);
  return withoutOthers(rows, members);
}

/** Single members as they belong with each timeline. */
export async function readMembersOf(
  context: SyncContext,
  rooms: readonly PlacedTimeline[],
  pass: SyncPass,
  members: Members,
): Promise<Rows> {
  if (members.length === 0) return new Map();
  const current = await readCurrentMembers(readerFor(context, rooms.length), members);
  return withoutOthers(await readAsOf(context, rooms, pass, current, { only: membersType }), members);
}

/** The state of a room that the user is no longer in. */
export async function readStateThen(
  context: SyncContext,
  room: PlacedTimeline,
  pass: SyncPass,
  senders: ReadonlySet<string>,
): Promise<readonly ClientEventRow[]> {
  if (!mayHaveState(room, pass)) return [];
  const root = await answered(context.states.root(room.end));
  const lazy = pass.filter.room.state.lazyLoadMembers;
  const nids = new Set<number>();
  for await (const page of context.states.events(root, lazy ? { except: membersType } : undefined)) {
    for (const nid of page) nids.add(nid);
  }
  if (lazy) {
    const keys = [...senders].map((sender) => [membersType, sender] as const);
    for (const nid of await answered(context.states.getMany(root, keys))) if (nid !== undefined) nids.add(nid);
  }
  if (pass.stateField === 'state') takeBack(room, nids);
  return (await readRows(context, [room], new Map([[room.span.nid, nids]]))).get(room.span.nid) ?? [];
}

function mayHaveState({ span }: PlacedTimeline, { filter }: Pick<SyncPass, 'filter'>): boolean {
  return !passesNothing(filter.room.state) && passesRooms(filter.room.state, span.id);
}

/** From entries of the states now to the same entries of the states that belong with the timelines. */
export async function readAsOf(
  context: SyncContext,
  rooms: readonly PlacedTimeline[],
  { stateField }: Look,
  current: readonly RootedStateRow[],
  part?: StatePart,
): Promise<Rows> {
  const byRoom = Map.groupBy(current, (row) => row.room_nid);
  const chosen = new Map<number, ReadonlySet<number>>();
  for (const room of rooms) {
    const entries = byRoom.get(room.span.nid) ?? [];
    const [first] = entries;
    if (first === undefined) continue;
    const nids = new Set(entries.map((row) => row.event_nid));
    // Something may have happened since the position of the answer.
    if (endOfPosition(first.last_position) > room.span.upTo) {
      for (const { before, after } of await differences(context, first.state_root, room.end, part)) {
        if (before !== undefined) nids.delete(before);
        if (after !== undefined) nids.add(after);
      }
    }
    if (stateField === 'state') takeBack(room, nids);
    chosen.set(room.span.nid, nids);
  }
  return readRows(context, rooms, chosen);
}

async function differences(context: SyncContext, from: number, to: number, part?: StatePart) {
  if (from === to) return [];
  const [before, after] = await Promise.all([from, to].map((root) => answered(context.states.root(root))));
  return before === undefined || after === undefined ? [] : answered(context.states.diff(before, after, part));
}

/** Turns the state after a timeline into the one from which the timeline leads to it. */
function takeBack({ timeline: { rows } }: PlacedTimeline, nids: Set<number>): void {
  const firsts = new Map<string, ClientEventRow>();
  for (const row of rows) {
    if (row.state_key !== null && !firsts.has(keyOf(row))) firsts.set(keyOf(row), row);
  }
  for (const last of lastOfEachKey(rows)) {
    const replaced = firsts.get(keyOf(last))?.replaces_nid;
    if (nids.delete(last.event_nid) && typeof replaced === 'number') nids.add(replaced);
  }
}

async function readRows(
  context: SyncContext,
  rooms: readonly PlacedTimeline[],
  chosen: ReadonlyMap<number, ReadonlySet<number>>,
): Promise<Rows> {
  const known = new Map<number, ClientEventRow>();
  for (const { timeline } of rooms) for (const row of timeline.rows) known.set(row.event_nid, row);
  const result: Rows = new Map();
  const missing: number[] = [];
  for (const [roomNid, nids] of chosen) {
    const rows: ClientEventRow[] = [];
    result.set(roomNid, rows);
    for (const nid of nids) {
      const row = known.get(nid);
      if (row === undefined) missing.push(nid);
      else rows.push(row);
    }
  }
  const reader = missing.length > manyEvents ? context.db.long : readerFor(context, rooms.length);
  for (const row of await readEvents(reader, missing)) result.get(row.room_nid)?.push(row);
  return result;
}

const manyEvents = 2000;

function withoutOthers(rows: Rows, members: Members): Rows {
  const wanted = new Set(members.map(([nid, userId]) => `${nid} ${userId}`));
  for (const [nid, ofRoom] of rows) {
    rows.set(
      nid,
      ofRoom.filter((row) => row.type !== membersType || wanted.has(`${nid} ${row.state_key}`)),
    );
  }
  return rows;
}

function lastOfEachKey(rows: readonly ClientEventRow[]): readonly ClientEventRow[] {
  const last = new Map<string, ClientEventRow>();
  for (const row of rows) if (row.state_key !== null) last.set(keyOf(row), row);
  return [...last.values()];
}

export function keyOf({ type, state_key: stateKey }: ClientEventRow): string {
  return `${type}\0${stateKey}`;
}
