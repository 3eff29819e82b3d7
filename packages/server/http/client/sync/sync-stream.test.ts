import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createDice } from '@portico/testkit/dice.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import {
  bodies,
  createSyncClient,
  type SeenEvent,
  type SyncBody,
  type SyncClient,
  type SyncedRoom,
} from '@portico/testkit/sync-client.ts';

type State = Map<string, string>;

function apply(state: State, events: readonly SeenEvent[] | undefined): void {
  for (const { type, state_key: key, event_id: id } of events ?? []) {
    if (key !== undefined) state.set(`${type} ${key}`, id);
  }
}

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`a chain of syncs (${engine})`, () => {
    const server = serverOfSuite({ engine });
    const person = async () => createSyncClient(await server.registerUser());

    test('brings every event once and in order, however many send at once', async () => {
      const people = await Promise.all([person(), person(), person()]);
      const [alice] = people;
      const rooms = [await alice.createRoom(), await alice.createRoom()];
      for (const who of people.slice(1)) for (const roomId of rooms) await who.join(roomId);
      const perSender = 25;
      const expected = perSender * people.length;

      const watch = async (who: SyncClient) => {
        const seen = new Map<string, string[]>(rooms.map((roomId) => [roomId, []]));
        const filter = { room: { timeline: { limit: 100, types: ['m.room.message'] } } };
        for (let since: string | undefined; [...seen.values()].some((texts) => texts.length < expected);) {
          const body: SyncBody = await who.sync({ filter, timeout: 10_000, ...(since !== undefined && { since }) });
          since = body.next_batch;
          for (const [roomId, room] of Object.entries(body.rooms?.join ?? {})) {
            seen.get(roomId)?.push(...bodies(room.timeline));
          }
        }
        return seen;
      };
      const watching = Promise.all(people.map(watch));
      await Promise.all(
        people.map(async (who, sender) => {
          for (let index = 0; index < perSender; index++) {
            await Promise.all(rooms.map((roomId) => who.send(roomId, `${sender}.${index}`)));
          }
        }),
      );
      const all = await watching;
      for (const roomId of rooms) {
        const { chunk } = (await alice.get(roomId, 'messages?dir=f&limit=1000')) as unknown as { chunk: SeenEvent[] };
        const said = chunk.filter(({ type }) => type === 'm.room.message').map(({ content }) => content['body']);
        assert.equal(said.length, expected);
        for (const seen of all) assert.deepEqual(seen.get(roomId), said);
      }
    });

    for (const useStateAfter of [false, true]) {
      test(`leads to the room's state, through gaps${useStateAfter ? ', with use_state_after' : ''}`, async () => {
        const dice = createDice(useStateAfter ? 7 : 11);
        const [alice, bob, carol] = [await person(), await person(), await person()];
        const roomId = await alice.createRoom();
        await bob.join(roomId);
        let carolIsIn = false;
        const steps: readonly (() => Promise<unknown>)[] = [
          () => alice.setState(roomId, 'm.room.topic', { topic: String(dice(1e6)) }),
          () => alice.setState(roomId, 'org.example.keyed', { value: dice(1e6) }, `key ${dice(3)}`),
          () => bob.setState(roomId, 'm.room.member', { membership: 'join', displayname: `${dice(1e6)}` }, bob.userId),
          () => alice.send(roomId, 'talk'),
          async () => {
            await (carolIsIn ? carol.leave(roomId) : carol.join(roomId));
            carolIsIn = !carolIsIn;
          },
        ];
        const filter = { room: { timeline: { limit: 3 } } };
        const state: State = new Map();
        let since: string | undefined;
        let gaps = 0;
        for (let round = 0; round < 25; round++) {
          for (let count = dice(9); count > 0; count--) await steps[dice(steps.length)]?.();
          const body: SyncBody = await bob.sync({
            filter,
            use_state_after: useStateAfter,
            ...(since !== undefined && { since }),
          });
          since = body.next_batch;
          const room: SyncedRoom | undefined = body.rooms?.join?.[roomId];
          if (room?.timeline.limited === true) gaps += 1;
          apply(state, useStateAfter ? room?.state_after?.events : room?.state?.events);
          if (!useStateAfter) apply(state, room?.timeline.events);
          const now: State = new Map();
          apply(now, (await bob.get(roomId, 'state')) as unknown as readonly SeenEvent[]);
          assert.deepEqual(state, now, `round ${round}`);
        }
        assert.ok(gaps > 3, 'the timelines had gaps');
      });
    }
  });
}
