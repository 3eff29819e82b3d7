import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { findRoomVersion, parsePdu, toRoomEvent } from '@portico/protocol';
import { sql } from '@portico/storage';
import { bob, newPdus, partition } from '@portico/testkit/partition.ts';
import { MissingEventsError, type ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';
import { createBudgets } from './budgets.ts';
import type { FetchMissing } from './missing-events.ts';
import { createIngest } from './room-inbox.ts';

const rules = findRoomVersion('11');

const selectRoom = sql<{ room_nid: number; create_event_nid: number }, [roomId: string]>(
  'test.room-inbox.room',
  'select room_nid, create_event_nid from rooms where room_id = $1',
);

const forever = 2 ** 31 - 1;

/** A room, and messages that another server has sent one after the other. */
async function open(
  context: TestContext,
  fetchMissing: FetchMissing,
  patience: { first: number; second: number },
  budgets = createBudgets('a'),
) {
  assert.ok(rules);
  const { a, b, roomId } = await partition(context, '11');
  const start = b.db.currentPosition();
  for (let index = 0; index < 6; index++) await b.rooms.send(bob, roomId, 'm.room.message', `${index}`, { index });
  const row = await a.db.get(selectRoom, [roomId]);
  assert.ok(row);
  const here = { hasOrigin: true, isOurs: true, hasMembers: true, isAllowed: true };
  const room: FederatedRoom = { roomNid: row.room_nid, roomId, rules, createEventNid: row.create_event_nid, ...here };
  const events = (await newPdus(b, roomId, start)).map(({ event_id: eventId, pdu }): ReceivedEvent => {
    const parsed = parsePdu(rules, pdu);
    assert.equal(parsed.kind, 'ok');
    return { event: toRoomEvent(rules, parsed.pdu, eventId, { rejected: false }), pieces: parsed.pieces };
  });
  const redactions = { settle: () => Promise.resolve(new Map()) };
  const costs = { take: () => 0 };
  const ingest = createIngest({ receiver: a.rooms.receiver, redactions, fetchMissing, costs, budgets, patience });
  const at = (index: number): ReceivedEvent => {
    const event = events[index];
    assert.ok(event);
    return event;
  };
  const takeEvent = async (received: ReceivedEvent, from: string, onHeld?: () => void) =>
    (await ingest(room, received, from, onHeld)).kind;
  return {
    at,
    takeEvent,
    take: (index: number, from: string, onHeld?: () => void) => takeEvent(at(index), from, onHeld),
    /** What the events of a server have cost in the room so far. */
    budgetOf: (server: string, cost: number) => budgets.charge(row.room_nid, server, cost, 1),
    /** Receives an event in another way. */
    store: (index: number) => a.rooms.receiver.receive(room, at(index)),
  };
}

test('nobody is asked for what comes by itself', async (context) => {
  const asked: string[] = [];
  const fetch: FetchMissing = (_, { event: { eventId } }) => {
    asked.push(eventId);
    return Promise.resolve(false);
  };
  const { take } = await open(context, fetch, { first: forever, second: forever });
  // In this order they are looked at: each but the last one before what it follows.
  const all = [take(3, 'b'), take(1, 'c'), take(2, 'b'), take(0, 'c')];
  assert.deepEqual(await Promise.all(all), ['accepted', 'accepted', 'accepted', 'accepted']);
  assert.deepEqual(asked, []);
});

test('what does not come is asked for once, and the events behind wait for it', async (context) => {
  const asked: (string | undefined)[] = [];
  const fetch: FetchMissing = async (_, { event: { eventId } }, _missing, from, receive) => {
    asked.push(`${from} ${eventId}`);
    assert.equal(await receive(at(0)), undefined);
    assert.equal(await receive(at(1)), undefined);
    return true;
  };
  const { take, at } = await open(context, fetch, { first: 0, second: forever });
  const kinds = await Promise.all([take(4, 'c'), take(3, 'b'), take(2, 'b')]);
  assert.deepEqual(kinds, ['accepted', 'accepted', 'accepted']);
  assert.deepEqual(asked, [`b ${at(2).event.eventId}`]);
});

test('what nobody has fails what builds on it, and nothing else', async (context) => {
  const fetch: FetchMissing = () => Promise.resolve(false);
  const { take } = await open(context, fetch, { first: 0, second: forever });
  const lost = [take(3, 'b'), take(2, 'b')].map((each) => assert.rejects(each, MissingEventsError));
  assert.equal(await take(0, 'c'), 'accepted');
  await Promise.all(lost);
});

test('a server that never answers keeps nothing from others, nor what comes after all', async (context) => {
  const asked = Promise.withResolvers<void>();
  const fetch: FetchMissing = () => {
    asked.resolve();
    return new Promise(() => undefined);
  };
  const { take } = await open(context, fetch, { first: 0, second: forever });
  const stuck = take(2, 'b');
  await asked.promise;
  assert.equal(await take(0, 'c'), 'accepted');
  assert.equal(await take(1, 'c'), 'accepted');
  assert.equal(await stuck, 'accepted');
});

test('what was given up is received after all once what it builds on has come', async (context) => {
  const fetch: FetchMissing = () => Promise.resolve(false);
  const { take } = await open(context, fetch, { first: 0, second: forever });
  await assert.rejects(take(2, 'b'), MissingEventsError);
  await assert.rejects(take(1, 'b'), MissingEventsError);
  assert.equal(await take(0, 'c'), 'accepted');
  // It follows those that were given up, and so has to wait for them.
  assert.equal(await take(3, 'c'), 'accepted');
});

test('what was given for one event is looked at before the same server is asked about the next', async (context) => {
  const asked: string[] = [];
  const fetch: FetchMissing = async (_, { event: { eventId } }) => {
    asked.push(eventId);
    await store(0);
    return true;
  };
  const { take, takeEvent, store, at } = await open(context, fetch, { first: 0, second: forever });
  const { event, pieces } = at(2);
  const both = { event: { ...event, prevEvents: [...event.prevEvents, at(0).event.eventId] }, pieces };
  assert.deepEqual(await Promise.all([take(1, 'b'), takeEvent(both, 'b')]), ['accepted', 'accepted']);
  assert.deepEqual(asked, [at(1).event.eventId]);
});

test('who has cost too much waits for a while, and others do not', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  const budgets = createBudgets('a', () => now);
  const { take, budgetOf } = await open(
    context,
    () => Promise.resolve(false),
    { first: forever, second: forever },
    budgets,
  );
  budgetOf('c', 16_000);
  const held = Promise.withResolvers<void>();
  const late = take(1, 'c', held.resolve);
  const settled: string[] = [];
  void late.then((kind) => settled.push(`c ${kind}`));
  await held.promise;
  assert.equal(await take(0, 'b'), 'accepted');
  assert.deepEqual(settled, [], 'nothing becomes of it yet');
  now += 4000;
  context.mock.timers.tick(4000);
  assert.equal(await late, 'accepted');
});

test('what others wait for does not wait for what its own server has cost', async (context) => {
  const budgets = createBudgets('a', () => 0);
  const patience = { first: 1000, second: 1000 };
  const { take, budgetOf } = await open(context, () => Promise.resolve(false), patience, budgets);
  budgetOf('c', 60_000);
  const held = Promise.withResolvers<void>();
  const first = take(0, 'c', held.resolve);
  await held.promise;
  assert.deepEqual(await Promise.all([take(1, 'b'), first]), ['accepted', 'accepted']);
});
