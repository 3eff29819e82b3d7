import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  entriesOf,
  type JsonObject,
  parsePdu,
  type RoomEvent,
  roomVersions,
  type RoomVersionRules,
  setEntry,
  splitPdu,
  type StateMap,
  stateMapOf,
  toRoomEvent,
} from '@portico/protocol';
import { type Database, openDatabase, sql } from '@portico/storage';
import { type StateStore } from '@portico/storage/state-trie/index.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { createTestDatabase } from '@portico/testkit/postgres.ts';
import { buildRoom, type RandomRoom, steps } from '@portico/testkit/random-room.ts';
import { openTestRooms, type TestRooms } from '@portico/testkit/rooms.ts';
import { slowResolve } from '@portico/testkit/slow-resolution.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ReceivedEvent } from './received-event.ts';

/*
 * Random rooms, events of which come in any order that has each after those it follows, one by one or together: the state after each of them, and at the end
 * the room's own, must be what resolution word for word makes of it.
 */

/** Rooms of each version; on PostgreSQL, where each event is a journey, fewer. */
const runs = { sqlite: 6, postgres: 2 };
const wanted = process.env['PORTICO_PROPERTY_RUNS'];

const selectEvents = sql<
  { event_nid: number; event_id: string; status: number; state_before: number; state_after: number | null },
  [roomId: string]
>(
  'test.random-rooms.events',
  `select event_nid, event_id, status, state_before, state_after from events
   where room_nid = (select room_nid from rooms where room_id = $1)`,
);
const selectRoom = sql<{ room_nid: number; create_event_nid: number; extremities: string }, [roomId: string]>(
  'test.random-rooms.room',
  'select room_nid, create_event_nid, extremities from rooms where room_id = $1',
);
const selectState = sql<{ type: string; state_key: string; event_id: string }, [roomId: string]>(
  'test.random-rooms.state',
  `select s.type, s.state_key, e.event_id from current_state s join events e on e.event_nid = s.event_nid
   where s.room_nid = (select room_nid from rooms where room_id = $1)`,
);

const selectPdu = sql<{ text: string }, [eventId: string]>(
  'test.random-rooms.pdu',
  'select before_content || content || after_content as text from events where event_id = $1',
);
const selectMembers = sql<{ user_id: string; membership: string }, [roomId: string]>(
  'test.random-rooms.members',
  `select user_id, membership from memberships where membership <> 'leave' and
     room_nid = (select room_nid from rooms where room_id = $1)`,
);
const selectHosts = sql<{ host: string; joined: number }, [roomId: string]>(
  'test.random-rooms.hosts',
  `select host, joined from joined_hosts where joined > 0 and
     room_nid = (select room_nid from rooms where room_id = $1)`,
);
const selectCounts = sql<{ joined_count: number; invited_count: number }, [roomId: string]>(
  'test.random-rooms.counts',
  'select joined_count, invited_count from rooms where room_id = $1',
);

function received(rules: RoomVersionRules, event: RoomEvent): ReceivedEvent {
  const reference = (eventId: string) =>
    rules.event.references === 'ids' ? eventId : [eventId, { sha256: 'A'.repeat(43) }];
  const isCreate = event.type === 'm.room.create' && rules.event.roomId === 'create-event';
  const pdu: JsonObject = {
    ...(rules.event.eventId === 'explicit' ? { event_id: event.eventId } : {}),
    ...(isCreate ? {} : { room_id: event.roomId }),
    ...(event.stateKey === undefined ? {} : { state_key: event.stateKey }),
    type: event.type,
    sender: event.sender,
    content: event.content,
    origin_server_ts: event.originServerTs,
    depth: event.depth,
    prev_events: event.prevEvents.map(reference),
    auth_events: event.authEvents.map(reference),
    hashes: { sha256: 'A'.repeat(43) },
    signatures: {},
  };
  return { event, pieces: splitPdu(pdu, rules.canonicalJson) };
}

const sorted = (entries: readonly (readonly string[])[]) => entries.map((entry) => JSON.stringify(entry)).toSorted();
const flat = (state: StateMap) => sorted([...entriesOf(state)]);

/** Any order in which each event comes after those that it follows, as the numbers choose it. */
function shuffled(events: readonly RoomEvent[], numbers: readonly number[], known: ReadonlySet<string>): RoomEvent[] {
  const left = [...events];
  const here = new Set(known);
  const order: RoomEvent[] = [];
  while (left.length > 0) {
    const ready = left.filter(({ prevEvents, authEvents }) =>
      [...prevEvents, ...authEvents].every((id) => here.has(id)),
    );
    const next = ready[(numbers[order.length % numbers.length] ?? 0) % ready.length];
    assert.ok(next);
    left.splice(left.indexOf(next), 1);
    here.add(next.eventId);
    order.push(next);
  }
  return order;
}

/** Groups that come together, mostly small ones. */
function grouped(events: readonly RoomEvent[], numbers: readonly number[]): RoomEvent[][] {
  const groups: RoomEvent[][] = [];
  for (let start = 0; start < events.length; start += groups.at(-1)?.length ?? 1) {
    const length = ((numbers[groups.length % numbers.length] ?? 0) % 7) + 1;
    groups.push(events.slice(start, start + length));
  }
  return groups;
}

type BuiltRoom = Pick<RandomRoom, 'rules' | 'events' | 'stateAfter'>;

/** The state before an event that follows these. */
function stateOf({ rules, events, stateAfter }: BuiltRoom, eventIds: readonly string[]): StateMap {
  const states = eventIds.map((eventId) => stateAfter.get(eventId) ?? new Map());
  const [only = new Map()] = states;
  return states.length === 1 ? only : slowResolve(rules, states, (eventId) => events.get(eventId));
}

/** What no event that has a place follows, be it by way of such that have none. */
function endsOf({ events }: RandomRoom, rows: readonly { readonly event_id: string; readonly status: number }[]) {
  const placed = rows.filter(({ status }) => status === eventStatus.accepted).map((row) => row.event_id);
  const isPlaced = new Set(placed);
  const followed = new Set<string>();
  const follow = (eventId: string): void => {
    for (const previous of events.get(eventId)?.prevEvents ?? []) {
      followed.add(previous);
      if (!isPlaced.has(previous)) follow(previous);
    }
  };
  for (const eventId of placed) follow(eventId);
  return placed.filter((eventId) => !followed.has(eventId)).toSorted();
}

let rooms = 0;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`states of random rooms (${engine})`, () => {
    let folder: string;
    let db: Database;
    let server: TestRooms;
    let gone = 0;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'portico-random-rooms-'));
      const url = engine === 'sqlite' ? `sqlite:${join(folder, 'portico.db')}` : await createTestDatabase();
      db = await openDatabase({ url, durability: 'relaxed' });
      server = await openTestRooms(db, { serverName: 'b.example' });
    });
    after(async () => {
      await db.close();
      rmSync(folder, { recursive: true });
    });

    async function stateAt(states: StateStore, root: number, ids: ReadonlyMap<number, string>): Promise<string[]> {
      const found: string[] = [];
      for await (const page of states.events(await states.root(root).run())) {
        for (const nid of page) found.push(ids.get(nid) ?? `${nid}`);
      }
      return found.toSorted();
    }

    async function check(room: RandomRoom, numbers: readonly number[]): Promise<void> {
      const { rules, events, stateAfter } = room;
      const all = [...events.values()];
      // Bob's server joins through Alice's: it is given what there was before him.
      const [trunk, [first, ...rest]] = [all.slice(0, 4), all.slice(4)];
      assert.ok(first?.stateKey === '@bob:b.example');
      const state = trunk.map((event) => received(rules, event));
      const given = { rules, roomId: first.roomId, authChain: [], state };
      await server.rooms.joinImported({ given, join: received(rules, first) });
      const row = await db.get(selectRoom, [first.roomId]);
      assert.ok(row);
      const receiving = { roomNid: row.room_nid, rules, createEventNid: row.create_event_nid };
      const known = new Set([...trunk, first].map(({ eventId }) => eventId));
      for (const group of grouped(shuffled(rest, numbers, known), numbers)) {
        const together = group.map((event) => received(rules, event));
        const results = await server.rooms.receiver.receiveAll(receiving, together);
        assert.equal(results.length, group.length);
        for (const [index, { kind }] of results.entries()) {
          const name = `${group[index]?.type} ${group[index]?.eventId}`;
          assert.ok(kind === 'accepted' || kind === 'soft-failed', `${kind}: ${name}`);
        }
      }
      for (const { event } of room.attempts.filter((attempt) => !events.has(attempt.event.eventId))) {
        const { kind } = await server.rooms.receiver.receive(receiving, received(rules, event));
        assert.ok(kind === 'rejected' || kind === 'known', `${kind}: ${event.type} ${event.eventId}`);
      }

      const rows = await db.all(selectEvents, [first.roomId]);
      const ids = new Map(rows.map(({ event_nid: nid, event_id: id }) => [nid, id]));
      const roots = new Map(rows.map((each) => [each.event_id, each.state_after ?? each.state_before]));
      for (const { eventId } of rest) {
        const expected = [...entriesOf(stateAfter.get(eventId) ?? new Map())].map(([, , id]) => id);
        assert.deepEqual(await stateAt(server.states, roots.get(eventId) ?? 0, ids), expected.toSorted(), eventId);
      }
      assert.deepEqual(await extremitiesOf(first.roomId), endsOf(room, rows), 'what the room ends with');
      await checkNow(room, first.roomId);
      await checkMembers(room, first.roomId);
    }

    async function extremitiesOf(roomId: string): Promise<string[]> {
      const { extremities = '[]' } = (await db.get(selectRoom, [roomId])) ?? {};
      return (JSON.parse(extremities) as [string, number][]).map(([eventId]) => eventId).toSorted();
    }

    /** The state of the room is the resolution of all that it ends with. */
    async function checkNow(room: BuiltRoom, roomId: string): Promise<void> {
      const now = await db.all(selectState, [roomId]);
      assert.deepEqual(
        sorted(now.map((each) => [each.type, each.state_key, each.event_id])),
        flat(stateOf(room, await extremitiesOf(roomId))),
      );
    }

    /** Bob says something, and changes something of his, again and again: what he follows is what his events are judged by. */
    async function goOn(room: RandomRoom): Promise<number> {
      const built = { ...room, events: new Map(room.events), stateAfter: new Map(room.stateAfter) };
      const [{ roomId } = { roomId: '' }] = room.events.values();
      const bob = { userId: '@bob:b.example', deviceId: 'B' };
      for (let count = 0; count < 6; count++) {
        const before = await extremitiesOf(roomId);
        let eventId: string;
        try {
          eventId = await (count % 2 === 0
            ? server.rooms.setState(bob, roomId, 'org.example.own', bob.userId, { count })
            : server.rooms.send(bob, roomId, 'm.room.message', `${count}`, { body: 'on' }));
        } catch (error) {
          if (error instanceof MatrixError && error.reason === 'forbidden') return count;
          throw error;
        }
        const rows = await db.all(selectEvents, [roomId]);
        const row = rows.find((each) => each.event_id === eventId);
        const pdu = await db.get(selectPdu, [eventId]);
        assert.ok(row !== undefined && pdu !== undefined);
        const parsed = parsePdu(room.rules, pdu.text);
        assert.ok(parsed.kind === 'ok');
        const event = toRoomEvent(room.rules, parsed.pdu, eventId, { rejected: false });
        assert.equal(event.prevEvents.length, Math.min(before.length, 20));
        const state = stateMapOf(entriesOf(stateOf(built, event.prevEvents)));
        const ids = new Map(rows.map(({ event_nid: nid, event_id: id }) => [nid, id]));
        assert.deepEqual(
          await stateAt(server.states, row.state_before, ids),
          [...entriesOf(state)].map(([, , id]) => id).toSorted(),
        );
        built.events.set(eventId, event);
        if (event.stateKey !== undefined) setEntry(state, event.type, event.stateKey, eventId);
        built.stateAfter.set(eventId, state);
        const left = before.filter((id) => !event.prevEvents.includes(id));
        assert.deepEqual(await extremitiesOf(roomId), [...left, eventId].toSorted());
        await checkNow(built, roomId);
        await checkMembers(built, roomId);
      }
      return 6;
    }

    /** What is kept about who is in the room says what its state says. */
    async function checkMembers({ events }: BuiltRoom, roomId: string): Promise<void> {
      const state = await db.all(selectState, [roomId]);
      const members = state
        .filter(({ type }) => type === 'm.room.member')
        .map((row) => [row.state_key, events.get(row.event_id)?.content['membership'] as string] as const)
        .filter(([, membership]) => membership !== 'leave');
      const kept = await db.all(selectMembers, [roomId]);
      assert.deepEqual(sorted(kept.map((row) => [row.user_id, row.membership])), sorted(members));
      const count = (kind: string, host = '') =>
        members.filter(([userId, membership]) => membership === kind && userId.endsWith(host)).length;
      const counts = await db.get(selectCounts, [roomId]);
      assert.deepEqual([counts?.joined_count, counts?.invited_count], [count('join'), count('invite')]);
      for (const { host, joined } of await db.all(selectHosts, [roomId])) {
        assert.equal(joined, count('join', `:${host}`), host);
      }
    }

    for (const rules of roomVersions) {
      test(`are what the algorithm says, word for word (version ${rules.version})`, async () => {
        const property = fc.asyncProperty(steps(40), fc.array(fc.nat(), { minLength: 5 }), async (plan, numbers) => {
          const name = `${engine}${rooms++}`;
          await check(buildRoom(rules, plan, slowResolve, { name, trunk: 5 }), numbers);
        });
        await fc.assert(property, { numRuns: Number(wanted ?? runs[engine]), endOnFailure: true });
      });

      test(`are what the algorithm says where there are many branches (version ${rules.version})`, async () => {
        const forks = { reach: 400, mostFollowed: 2, minLength: 100 };
        const property = fc.asyncProperty(
          steps(120, forks),
          fc.array(fc.nat(), { minLength: 5 }),
          async (plan, numbers) => {
            const room = buildRoom(rules, plan, slowResolve, { name: `${engine}${rooms++}`, trunk: 5 });
            await check(room, numbers);
            gone += await goOn(room);
          },
        );
        await fc.assert(property, { numRuns: Number(wanted ?? runs[engine]), endOnFailure: true });
      });
    }

    test('somebody of this server went on in some of these rooms', () => assert.ok(gone > 0));
  });
}
