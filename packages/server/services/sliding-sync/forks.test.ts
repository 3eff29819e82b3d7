import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createDice } from '@portico/testkit/dice.ts';
import { alice, bob, carol, deliver, newPdus, type PartitionedServer, partition } from '@portico/testkit/partition.ts';
import { openSlidingSync, type Wish } from '@portico/testkit/sliding-sync.ts';
import type { SeenEvent, SlidingBody } from '@portico/testkit/sync-client.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { readRoomState } from '../reading/room-state.ts';

function startProcess(context: TestContext, server: PartitionedServer, roomId: string) {
  const { reading, slide, close } = openSlidingSync(server);
  context.after(close);
  return {
    slide(who: typeof carol, wish: Wish | undefined, pos?: string): Promise<SlidingBody> {
      return slide(who, wish === undefined ? {} : { [roomId]: wish }, pos);
    },
    state: async (who: typeof carol) => JSON.parse(await readRoomState(reading, who, roomId)) as SeenEvent[],
  };
}

for (const version of ['11', '12']) {
  test(`entries that the state no longer has after a fork are told by type and key alone (version ${version})`, async (context) => {
    const { a, b, roomId } = await partition(context, version);
    const { slide } = startProcess(context, b, roomId);
    const required = [
      ['m.room.name', ''],
      ['org.example.note', '*'],
    ];
    const since = a.db.currentPosition();
    await a.rooms.ban(alice, roomId, bob.userId, undefined);
    await b.rooms.setState(bob, roomId, 'm.room.name', '', { name: 'Of Bob' });
    await b.rooms.setState(bob, roomId, 'm.room.avatar', '', { url: 'mxc://b/ob' });
    await b.rooms.setState(bob, roomId, 'org.example.note', bob.userId, { value: 1 });
    await b.rooms.setState(bob, roomId, 'org.example.other', '', { value: 1 });
    const first = await slide(carol, { limit: 10, required });
    assert.deepEqual([first.rooms[roomId]?.name, first.rooms[roomId]?.required_state?.length], ['Of Bob', 2]);
    await deliver(await newPdus(a, roomId, since), b, roomId, version);
    const second = (await slide(carol, { limit: 10, required }, first.pos)).rooms[roomId];
    assert.deepEqual([second?.name, second?.avatar], [null, null]);
    assert.deepEqual(
      second?.required_state?.toSorted((x, y) => x.type.localeCompare(y.type)),
      [
        { type: 'm.room.name', state_key: '' },
        { type: 'org.example.note', state_key: bob.userId },
      ],
    );
  });
}

const entryOf = (event: SeenEvent) => `${event.type} ${event.state_key}`;
const textOf = (event: SeenEvent) => `${event.event_id} ${JSON.stringify(event.content)}`;

/** A client that keeps the state of the room as it is told; without the room for a while, now and then. */
function createFollower(roomId: string, slide: (wish: Wish | undefined, pos?: string) => Promise<SlidingBody>) {
  const state = new Map<string, string>();
  let pos: string | undefined;
  let name: string | undefined;
  return {
    state,
    name: () => name,
    async follow(wish: Wish | undefined): Promise<void> {
      const answer = await slide(wish, pos);
      ({ pos } = answer);
      const room = answer.rooms[roomId];
      if (room?.initial === true) {
        state.clear();
        name = undefined;
      }
      if (room?.name !== undefined) name = room.name ?? undefined;
      for (const event of room?.required_state ?? []) {
        if ((event.content as object | undefined) === undefined) state.delete(entryOf(event));
        else state.set(entryOf(event), textOf(event));
      }
    },
  };
}

const everything = [['*', '*']];

async function act(
  dice: (limit: number) => number,
  { rooms }: PartitionedServer,
  roomId: string,
  side: 'a' | 'b',
  known: string[],
) {
  const who = side === 'a' ? alice : dice(2) === 0 ? bob : carol;
  const value = String(dice(1000));
  const txn = `${side}${value}${dice(100_000)}`;
  const set = (type: string, key: string, content: object) =>
    rooms.setState(who, roomId, type, key, { ...content }).then((id) => known.push(id));
  try {
    switch (dice(9)) {
      case 0:
        await set('m.room.name', '', { name: value });
        break;
      case 1:
        await set('m.room.topic', '', { topic: value });
        break;
      case 2:
        await set('org.example.note', value, { value });
        break;
      case 3:
        await rooms.ban(who, roomId, bob.userId, undefined);
        break;
      case 4:
        await rooms.unban(who, roomId, bob.userId, undefined);
        break;
      case 5:
        await rooms.join(who, roomId, { reason: undefined, via: [] });
        break;
      case 6:
      case 7:
        await rooms.redact(who, roomId, known[dice(known.length)] ?? '$none', txn, { content: {} });
        break;
      default:
        await rooms.send(who, roomId, 'm.room.message', txn, { body: value });
    }
  } catch (error) {
    // Not everything is allowed at every moment.
    if (!(error instanceof MatrixError)) throw error;
  }
}

for (const version of ['11', '12']) {
  for (let seed = 1; seed <= 4; seed++) {
    test(`clients end with the room's state, however it forks and whatever is redacted (version ${version}, ${seed})`, async (context) => {
      const dice = createDice(seed);
      const { a, b, roomId } = await partition(context, version);
      const sides = { a: startProcess(context, a, roomId), b: startProcess(context, b, roomId) };
      const known = { a: [] as string[], b: [] as string[] };
      const followers = [1, 3, 50].flatMap((limit) =>
        (['a', 'b'] as const).map((side) => {
          const who = { ...(side === 'a' ? alice : carol), deviceId: `D${limit}` };
          return { limit, side, client: createFollower(roomId, (wish, pos) => sides[side].slide(who, wish, pos)) };
        }),
      );
      let since = { a: a.db.currentPosition(), b: b.db.currentPosition() };
      for (let step = 0; step < 40; step++) {
        await act(dice, a, roomId, 'a', known.a);
        await act(dice, b, roomId, 'b', known.b);
        if (dice(6) === 0 || step === 39) {
          const pdus = { a: await newPdus(a, roomId, since.a), b: await newPdus(b, roomId, since.b) };
          since = { a: a.db.currentPosition(), b: b.db.currentPosition() };
          await deliver(pdus.a, b, roomId, version);
          await deliver(pdus.b, a, roomId, version);
          since = { a: a.db.currentPosition(), b: b.db.currentPosition() };
        }
        for (const { client, limit } of followers) {
          const roll = dice(4);
          if (roll < 2) await client.follow(roll === 0 ? undefined : { limit, required: everything });
        }
      }
      for (const { client, limit, side } of followers) {
        await client.follow({ limit, required: everything });
        const now = await sides[side].state(side === 'a' ? alice : carol);
        const entries = now.map((event) => [entryOf(event), textOf(event)] as const);
        assert.deepEqual(client.state, new Map(entries), `${side}, limit ${limit}`);
        const name = now.find((event) => event.type === 'm.room.name')?.content['name'];
        assert.equal(client.name(), name, `${side}, limit ${limit}`);
      }
    });
  }
}
