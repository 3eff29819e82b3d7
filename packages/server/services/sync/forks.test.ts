import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alice, bob, carol, deliver, newPdus, type PartitionedServer, partition } from '@portico/testkit/partition.ts';
import { createDice } from '@portico/testkit/dice.ts';
import type { SeenEvent, SyncBody } from '@portico/testkit/sync-client.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { readMembers } from '../reading/members.ts';
import { createReading } from '../reading/reading.ts';
import { readRoomState } from '../reading/room-state.ts';
import type { SyncPass } from './pass.ts';
import { createSync } from './sync.ts';

type Person = typeof alice;
type State = Map<string, string>;
type StateField = SyncPass['stateField'];

function apply(state: State, events: readonly SeenEvent[] | undefined): void {
  for (const { type, state_key: key, event_id: id } of events ?? []) {
    if (key !== undefined) state.set(`${type} ${key}`, id);
  }
}

function openClients({ db, states }: PartitionedServer, roomId: string) {
  const reading = createReading({ db, states, now: () => 0 });
  const sync = createSync({ reading, filters: { get: () => Promise.resolve('{}') }, streams: [] });
  const { signal } = new AbortController();

  /** A client that keeps the state of the room as it is told. */
  function client(who: Person, stateField: StateField, timeline: object) {
    const state: State = new Map();
    const seen = new Set<string>();
    let since: string | undefined;
    return {
      state,
      name: `${who.userId} ${stateField} ${JSON.stringify(timeline)}`,
      async follow(): Promise<void> {
        const filter = JSON.stringify({ room: { timeline } });
        const request = { ...who, since, filter, fullState: false, timeout: 0, stateField, signal };
        const body = JSON.parse(await sync.sync(request)) as SyncBody;
        since = body.next_batch;
        const room = body.rooms?.join?.[roomId] ?? body.rooms?.leave?.[roomId];
        if (stateField === 'state') apply(state, room?.state?.events);
        for (const { event_id: id } of room?.timeline.events ?? []) {
          // Who comes back to a room gets it anew.
          assert.ok(who !== alice || !seen.has(id), 'an event comes once');
          seen.add(id);
        }
        apply(state, stateField === 'state' ? room?.timeline.events : room?.state_after?.events);
      },
    };
  }
  return {
    client,
    async stateNow(who: Person): Promise<State> {
      const state: State = new Map();
      apply(state, JSON.parse(await readRoomState(reading, who, roomId)) as SeenEvent[]);
      return state;
    },
    async membersAt(who: Person, at: string): Promise<State> {
      const state: State = new Map();
      const text = await readMembers(reading, who, { roomId, membership: undefined, notMembership: undefined, at });
      apply(state, (JSON.parse(text) as { chunk: SeenEvent[] }).chunk);
      return state;
    },
  };
}

type Clients = ReturnType<typeof openClients>;

const looks: readonly (readonly [StateField, object])[] = [
  ['state', { limit: 50 }],
  ['state', { limit: 2 }],
  ['state', { limit: 3, not_types: ['m.room.name'] }],
  ['state_after', { limit: 50 }],
  ['state_after', { limit: 2 }],
  ['state_after', { types: ['m.room.message'] }],
];

async function act(dice: (limit: number) => number, { rooms }: PartitionedServer, roomId: string, side: 'a' | 'b') {
  const who = side === 'a' ? alice : dice(2) === 0 ? bob : carol;
  const other = [bob, carol][dice(2)] ?? bob;
  const value = String(dice(1000));
  try {
    switch (dice(8)) {
      case 0:
        await rooms.setState(who, roomId, 'm.room.name', '', { name: value });
        break;
      case 1:
        await rooms.setState(who, roomId, 'm.room.topic', '', { topic: value });
        break;
      case 2:
        await rooms.setState(who, roomId, 'org.example.note', who.userId, { value });
        break;
      case 3:
        await rooms.ban(who, roomId, other.userId, undefined);
        break;
      case 4:
        await rooms.unban(who, roomId, other.userId, undefined);
        break;
      case 5:
        await rooms.join(who, roomId, { reason: undefined, via: [] });
        break;
      default:
        await rooms.send(who, roomId, 'm.room.message', value + String(dice(10_000)), { body: value });
    }
  } catch (error) {
    // Not everything is allowed at every moment.
    if (!(error instanceof MatrixError)) throw error;
  }
}

async function assertFollowed(clients: Clients, who: Person, client: ReturnType<Clients['client']>): Promise<void> {
  const now = await clients.stateNow(who);
  // A client cannot be told that an entry is no more.
  const told = [...client.state].filter(([key]) => now.has(key));
  // Who has left hears of their own membership still, but `/state` is that of then.
  const own = `m.room.member ${who.userId}`;
  const compared = (state: Iterable<[string, string]>) => new Map([...state].filter(([key]) => key !== own));
  assert.deepEqual(compared(told), compared(now), client.name);
}

for (const version of ['11', '12']) {
  for (let seed = 1; seed <= 8; seed++) {
    test(`clients end with the room's state, however it forks (version ${version}, ${seed})`, async (context) => {
      const dice = createDice(seed);
      const { a, b, roomId } = await partition(context, version);
      const sides = { a: openClients(a, roomId), b: openClients(b, roomId) };
      const watching = looks.flatMap(([field, timeline]) => [
        { clients: sides.a, who: alice, client: sides.a.client(alice, field, timeline) },
        { clients: sides.b, who: bob, client: sides.b.client(bob, field, timeline) },
      ]);
      for (const { client } of watching) await client.follow();
      let since = { a: a.db.currentPosition(), b: b.db.currentPosition() };
      for (let step = 0; step < 30; step++) {
        await act(dice, a, roomId, 'a');
        await act(dice, b, roomId, 'b');
        // The last branches are not merged by an event of their own.
        if (dice(5) === 0 || step === 29) {
          const pdus = { a: await newPdus(a, roomId, since.a), b: await newPdus(b, roomId, since.b) };
          since = { a: a.db.currentPosition(), b: b.db.currentPosition() };
          await deliver(pdus.a, b, roomId, version);
          if (dice(2) === 0) for (const { client } of watching) await client.follow();
          await deliver(pdus.b, a, roomId, version);
        }
        for (const { client } of watching) if (dice(3) === 0) await client.follow();
      }
      for (const { clients, who, client } of watching) {
        await client.follow();
        await assertFollowed(clients, who, client);
      }
      for (const [field, timeline] of looks) {
        const client = sides.a.client(alice, field, timeline);
        await client.follow();
        await assertFollowed(sides.a, alice, client);
      }
      const now = await sides.a.stateNow(alice);
      const members = new Map([...now].filter(([key]) => key.startsWith('m.room.member ')));
      const at = `s1_${a.db.currentPosition()}`;
      assert.deepEqual(await sides.a.membersAt(alice, at), members);
    });
  }
}

test('a profile that did not become the state is in the timeline all the same', async (context) => {
  const { a, b, roomId } = await partition(context, '11');
  const clients = openClients(a, roomId);
  const client = clients.client(alice, 'state', { limit: 50 });
  await client.follow();
  const since = b.db.currentPosition();
  await a.rooms.setState(alice, roomId, 'm.room.name', '', { name: 'meanwhile' });
  const named = (displayname: string, ts: number) =>
    b.rooms.setState(
      carol,
      roomId,
      'm.room.member',
      carol.userId,
      { membership: 'join', displayname },
      { originServerTs: ts },
    );
  const [later, earlier] = [await named('later', 2_000_000_000_000), await named('earlier', 1_900_000_000_000)];
  await deliver(await newPdus(b, roomId, since), a, roomId, '11');
  const key = `m.room.member ${carol.userId}`;
  assert.equal((await clients.stateNow(alice)).get(key), later);
  await client.follow();
  assert.equal(client.state.get(key), earlier, 'it came last');
});
