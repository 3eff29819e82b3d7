import assert from 'node:assert/strict';
import { type Database, sql } from '@portico/storage';
import { createChainStore } from '@portico/storage/chain-cover/index.ts';
import { emptyState, openStateStore } from '@portico/storage/state-trie/index.ts';

type RoomRow = {
  readonly room_nid: number;
  readonly room_id: string;
  readonly state_root: number;
  readonly extremities: string;
  readonly joined_count: number;
  readonly invited_count: number;
  readonly last_event_nid: number;
};
type EventRow = {
  readonly event_nid: number;
  readonly event_id: string;
  readonly type: string;
  readonly state_key: string | null;
  readonly content: string;
  readonly pdu: string;
  readonly chain_id: number | null;
};

const selectRooms = sql<RoomRow>(
  'test.check-rooms',
  `select room_nid, room_id, state_root, extremities, joined_count, invited_count, last_event_nid
   from rooms order by room_nid`,
);
const selectEvents = sql<EventRow, [roomNid: number]>(
  'test.check-events',
  `select event_nid, event_id, type, state_key, content, before_content || content || after_content as pdu, chain_id
   from events where room_nid = $1 order by room_order`,
);
const selectState = sql<{ type: string; state_key: string; event_nid: number }, [roomNid: number]>(
  'test.check-state',
  'select type, state_key, event_nid from current_state where room_nid = $1',
);
const selectMemberships = sql<{ user_id: string; membership: string; event_nid: number }, [roomNid: number]>(
  'test.check-memberships',
  'select user_id, membership, event_nid from memberships where room_nid = $1',
);
const selectHosts = sql<{ host: string; joined: number }, [roomNid: number]>(
  'test.check-hosts',
  'select host, joined from joined_hosts where room_nid = $1 and joined > 0',
);
const selectEdges = sql<{ event_nid: number; auth_event_nid: number }, [roomNid: number]>(
  'test.check-edges',
  `select a.event_nid, a.auth_event_nid from event_auth_edges a join events e on e.event_nid = a.event_nid
   where e.room_nid = $1`,
);

const sorted = (rows: Iterable<readonly (string | number)[]>): string[] =>
  [...rows].map((row) => JSON.stringify(row)).toSorted();

const inOrder = (nids: readonly number[]): number[] => nids.toSorted((a, b) => a - b);

const hostOf = (userId: string): string => userId.slice(userId.indexOf(':') + 1);

function count<T>(items: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

export type CheckedRoom = { readonly roomNid: number; readonly roomId: string; readonly eventIds: readonly string[] };

/**
 * Checks every room of a database in which no room ever forked against its events: each follows the one before, and
 * state, memberships, counts and auth chains are what one gets by going through the events from the first.
 */
export async function checkRooms(db: Database): Promise<readonly CheckedRoom[]> {
  const rooms = await db.all(selectRooms, []);
  const checked: CheckedRoom[] = [];
  for (const room of rooms) {
    const events = await db.all(selectEvents, [room.room_nid]);
    checkLine(room, events);
    await checkState(db, room, events);
    await checkChains(db, room, events);
    checked.push({
      roomNid: room.room_nid,
      roomId: room.room_id,
      eventIds: events.map(({ event_id: eventId }) => eventId),
    });
  }
  return checked;
}

function checkLine({ room_id: roomId, extremities, last_event_nid: lastNid }: RoomRow, events: readonly EventRow[]) {
  events.forEach(({ pdu }, index) => {
    const { prev_events: previous } = JSON.parse(pdu) as { prev_events: string[] };
    const before = events[index - 1];
    assert.deepEqual(previous, before === undefined ? [] : [before.event_id], `event ${index} of ${roomId}`);
  });
  const ends = (JSON.parse(extremities) as [string, number][]).map(([eventId]) => eventId);
  assert.deepEqual(ends, [events.at(-1)?.event_id], `the end of ${roomId}`);
  assert.equal(lastNid, events.at(-1)?.event_nid);
}

async function checkState(db: Database, room: RoomRow, events: readonly EventRow[]): Promise<void> {
  const state = new Map<string, EventRow & { readonly state_key: string }>();
  for (const event of events) {
    const { state_key: key } = event;
    if (key !== null) state.set(JSON.stringify([event.type, key]), { ...event, state_key: key });
  }
  const entries = [...state.values()];
  const expected = sorted(entries.map((event) => [event.type, event.state_key, event.event_nid]));
  const flat = await db.all(selectState, [room.room_nid]);
  const { room_id: roomId } = room;
  assert.deepEqual(sorted(flat.map((row) => [row.type, row.state_key, row.event_nid])), expected, `state of ${roomId}`);

  const states = await openStateStore(db, { cacheBytes: 4 * 1024 * 1024 });
  const root = await states.root(room.state_root).run();
  const found: number[] = [];
  for await (const nids of states.events(root)) found.push(...nids);
  const nids = entries.map((event) => event.event_nid);
  assert.deepEqual(inOrder(found), inOrder(nids), `trie of ${roomId}`);
  const changes = entries.map((event) => ({ type: event.type, stateKey: event.state_key, event: event.event_nid }));
  const again = await states.set(emptyState, changes).run();
  assert.equal(root.contentHash, again.root.contentHash, `root of ${roomId}`);
  states.settle(again, false);

  const members = entries
    .filter(({ type }) => type === 'm.room.member')
    .map((event) => {
      const { membership } = JSON.parse(event.content) as { membership: string };
      return { userId: event.state_key, membership, nid: event.event_nid };
    });
  assert.deepEqual(
    sorted((await db.all(selectMemberships, [room.room_nid])).map((m) => [m.user_id, m.membership, m.event_nid])),
    sorted(members.map(({ userId, membership, nid }) => [userId, membership, nid])),
    `memberships of ${roomId}`,
  );
  const joined = members.filter(({ membership }) => membership === 'join');
  assert.equal(room.joined_count, joined.length, `joined members of ${roomId}`);
  const invited = members.filter(({ membership }) => membership === 'invite').length;
  assert.equal(room.invited_count, invited, `invited people of ${roomId}`);
  const hosts = count(joined.map(({ userId }) => hostOf(userId)));
  assert.deepEqual(
    sorted((await db.all(selectHosts, [room.room_nid])).map((row) => [row.host, row.joined])),
    sorted(hosts),
    `hosts of ${roomId}`,
  );
}

async function checkChains(db: Database, room: RoomRow, events: readonly EventRow[]): Promise<void> {
  const authOf = new Map<number, Set<number>>();
  for (const edge of await db.all(selectEdges, [room.room_nid])) {
    const found = authOf.get(edge.event_nid) ?? new Set();
    authOf.set(edge.event_nid, found.add(edge.auth_event_nid));
  }
  const placed = events.filter((event) => event.state_key !== null);
  const nidOf = new Map(placed.map((event) => [event.event_id, event.event_nid]));
  const chains = createChainStore(db, { maxEvents: 1000 });
  const reached = new Map<number, Set<number>>();
  for (const { event_nid: nid, pdu, chain_id: chain } of placed) {
    assert.notEqual(chain, null, `event ${nid} has a place in a chain`);
    const { auth_events: auth } = JSON.parse(pdu) as { auth_events: string[] };
    const direct = authOf.get(nid) ?? new Set();
    for (const eventId of auth) assert.ok(direct.has(nidOf.get(eventId) ?? -1), `an edge from ${nid} to ${eventId}`);
    const all = new Set(direct);
    for (const one of direct) for (const further of reached.get(one) ?? []) all.add(further);
    reached.set(nid, all);
  }
  // All pairs of the latest events: what the cover answers depends on the rows of all before.
  const latest = placed.slice(-12).map((event) => event.event_nid);
  const all = placed.map((event) => event.event_nid);
  for (const nid of latest) {
    const difference = await chains.authDifference(room.room_nid, [all, [nid]]);
    const own = reached.get(nid);
    const expected = all.filter((other) => other !== nid && own?.has(other) !== true);
    assert.deepEqual(inOrder(difference), inOrder(expected), `what ${nid} does not reach`);
  }
}
