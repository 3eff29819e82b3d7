import { passesNothing, passesRooms } from '@portico/protocol/sync-filter/event-filter.ts';
import { readCurrentMembers, readCurrentState } from '@portico/storage/stores/current-state-read.ts';
import {
  findStateRootAt,
  readEvents,
  readStateChanges,
  type ClientEventRow,
} from '@portico/storage/stores/timeline.ts';
import { answered } from '../reading/visibility.ts';
import { readerFor, type SyncContext, type SyncPass } from './pass.ts';
import type { Span, Timeline } from './timelines.ts';

export type SpanWithTimeline = { readonly span: Span; readonly timeline: Timeline };

export type Members = readonly (readonly [roomNid: number, userId: string])[];

/** Up to where the state goes that is sent with a timeline: its start, or its end with `use_state_after`. */
function targetOf({ span, timeline }: SpanWithTimeline, pass: Pick<SyncPass, 'stateField'>): number {
  return pass.stateField === 'state' ? timeline.start : span.upTo;
}

type Rows = Map<number, ClientEventRow[]>;

/** What changed in the state between what the client has and the timeline's start, or its end. */
export async function readStateDeltas(
  context: SyncContext,
  rooms: readonly SpanWithTimeline[],
  pass: Pick<SyncPass, 'stateField' | 'filter'>,
): Promise<Rows> {
  const deltas: Rows = new Map();
  const gaps: SpanWithTimeline[] = [];
  for (const room of rooms) {
    if (!mayHaveState(room, pass)) continue;
    const { span, timeline } = room;
    if (pass.stateField === 'state' ? !timeline.hasGap : timeline.isComplete) {
      if (pass.stateField !== 'state') deltas.set(span.nid, lastOfEachKey(timeline.rows));
    } else gaps.push(room);
  }
  const ranges = gaps.map((room) => ({ roomNid: room.span.nid, after: room.span.after, upTo: targetOf(room, pass) }));
  for (const row of await readStateChanges(readerFor(context, ranges.length), ranges)) add(deltas, row);
  return deltas;
}

/** The whole state at the timeline's start, or its end; of lazily loaded members only those named. */
export async function readFullStates(
  context: SyncContext,
  rooms: readonly SpanWithTimeline[],
  pass: SyncPass,
  members: Members,
): Promise<Rows> {
  const lazy = pass.filter.room.state.lazyLoadMembers;
  const wanted = rooms.filter((room) => mayHaveState(room, pass));
  const reader = readerFor(context, wanted.length);
  const nids = wanted.map(({ span }) => span.nid);
  const current = await readCurrentState(reader, nids, lazy ? 'without-members' : 'all');
  if (lazy) current.push(...(await readCurrentMembers(reader, members)));
  return windBack(
    context,
    rooms,
    pass,
    current.map((row) => row.event_nid),
  );
}

/** Single members as they were at the timeline's start, or are at its end. */
export async function readMembersOf(
  context: SyncContext,
  rooms: readonly SpanWithTimeline[],
  pass: SyncPass,
  members: Members,
): Promise<Rows> {
  if (members.length === 0) return new Map();
  const current = await readCurrentMembers(readerFor(context, rooms.length), members);
  return windBack(
    context,
    rooms,
    pass,
    current.map((row) => row.event_nid),
  );
}

/** The state of a room that the user is no longer in, at the end of their time there or at its timeline's start. */
export async function readStateThen(
  context: SyncContext,
  room: SpanWithTimeline,
  pass: SyncPass,
  senders: ReadonlySet<string>,
): Promise<readonly ClientEventRow[]> {
  if (!mayHaveState(room, pass)) return [];
  const rootId = await findStateRootAt(context.db, room.span.nid, targetOf(room, pass));
  if (rootId === undefined) return [];
  const root = await answered(context.states.root(rootId));
  const lazy = pass.filter.room.state.lazyLoadMembers;
  const rows: ClientEventRow[] = [];
  const part = lazy ? { except: 'm.room.member' } : undefined;
  for await (const nids of context.states.events(root, part)) rows.push(...(await readEvents(context.db.long, nids)));
  if (!lazy) return rows;
  const keys = [...senders].map((sender) => ['m.room.member', sender] as const);
  const members = await answered(context.states.getMany(root, keys));
  rows.push(
    ...(await readEvents(
      context.db,
      members.filter((nid) => nid !== undefined),
    )),
  );
  return rows;
}

function mayHaveState({ span }: SpanWithTimeline, { filter }: Pick<SyncPass, 'filter'>): boolean {
  return !passesNothing(filter.room.state) && passesRooms(filter.room.state, span.id);
}

/**
 * Goes from the state now back to each room's target, from each event to the one that it replaced. Along a timeline that
 * a client is sent, that is the state on which it has to begin to arrive at the state now.
 */
async function windBack(
  context: SyncContext,
  rooms: readonly SpanWithTimeline[],
  pass: Pick<SyncPass, 'stateField'>,
  nids: readonly number[],
): Promise<Rows> {
  const targets = new Map(rooms.map((room) => [room.span.nid, targetOf(room, pass)]));
  const known = new Map<number, ClientEventRow>();
  for (const { timeline } of rooms) for (const row of timeline.rows) known.set(row.event_nid, row);
  const reader = readerFor(context, rooms.length);
  const result: Rows = new Map();
  let wanted: readonly number[] = nids;
  while (wanted.length > 0) {
    const missing: number[] = [];
    for (let nid of wanted) {
      for (;;) {
        const row = known.get(nid);
        if (row === undefined) missing.push(nid);
        else if ((row.room_order ?? 0) <= (targets.get(row.room_nid) ?? Infinity)) add(result, row);
        else if (row.replaces_nid !== null) {
          nid = row.replaces_nid;
          continue;
        }
        break;
      }
    }
    for (const row of await readEvents(reader, missing)) known.set(row.event_nid, row);
    wanted = missing.filter((nid) => known.has(nid));
  }
  return result;
}

function lastOfEachKey(rows: readonly ClientEventRow[]): ClientEventRow[] {
  const last = new Map<string, ClientEventRow>();
  for (const row of rows) if (row.state_key !== null) last.set(`${row.type}\0${row.state_key}`, row);
  return [...last.values()];
}

function add(rows: Rows, row: ClientEventRow): void {
  const ofRoom = rows.get(row.room_nid);
  if (ofRoom === undefined) rows.set(row.room_nid, [row]);
  else ofRoom.push(row);
}
