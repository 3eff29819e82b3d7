import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ephemeralPause } from '@portico/server/services/sync/ephemeral-pauses.ts';
import { createPair, type Pair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';

const attempts = 5;

/** Who is typing as one way to sync tells it. `next` answers with who is typing after the last answer, once there is news. */
type Way = { readonly name: string; readonly follow: (person: SyncClient, roomId: string) => Promise<Follower> };
type Follower = { next(): Promise<unknown> };

const ways: readonly Way[] = [
  {
    name: '/sync',
    async follow(person, roomId) {
      const filter = { presence: { types: [] } };
      let { next_batch: since } = await person.sync({ filter });
      return {
        async next() {
          const answer = await person.sync({ filter, since, timeout: 30_000 });
          since = answer.next_batch;
          const events = answer.rooms?.join?.[roomId]?.ephemeral.events;
          return events?.find(({ type }) => type === 'm.typing')?.content['user_ids'];
        },
      };
    },
  },
  {
    name: 'sliding sync',
    async follow(person, roomId) {
      const body = {
        lists: { all: { ranges: [[0, 9]], timeline_limit: 1, required_state: [] } },
        extensions: { typing: { enabled: true } },
      };
      let { pos } = await person.slide(body);
      return {
        async next() {
          const answer = await person.slide(body, { pos, timeout: 30_000 });
          pos = answer.pos;
          return answer.extensions.typing?.rooms[roomId]?.content['user_ids'];
        },
      };
    },
  },
];

describe('what is told of those who type', () => {
  const server = serverOfSuite();
  const type = (by: SyncClient, roomId: string, typing: boolean) =>
    by.http.put(by.room(roomId, `typing/${encodeURIComponent(by.userId)}`), { typing });

  /** That it takes no pause, though the machine may be slow at times. Others do it each time: who was told has a pause. */
  async function takesNoPause(prepare: (pair: Pair) => Promise<() => Promise<void>>): Promise<void> {
    for (let count = 1; ; count++) {
      const attempt = await prepare(await createPair(server));
      const began = performance.now();
      await attempt();
      if (performance.now() - began < ephemeralPause / 2) return;
      assert.ok(count < attempts, 'told late each time');
    }
  }

  for (const { name, follow } of ways) {
    test(`${name}: what came while the client asked nothing is told as soon as it asks`, { timeout: 60_000 }, () =>
      takesNoPause(async ({ alice, bob, roomId }) => {
        const follower = await follow(bob, roomId);
        return async () => {
          await type(alice, roomId, true);
          await type(alice, roomId, false);
          assert.deepEqual(await follower.next(), []);
        };
      }),
    );

    test(`${name}: who is ignored delays nothing by typing`, { timeout: 60_000 }, () =>
      takesNoPause(async ({ alice, bob, roomId }) => {
        const carol = createSyncClient(await server.registerUser());
        await carol.join(roomId);
        await bob.setAccountData('m.ignored_user_list', { ignored_users: { [alice.userId]: {} } });
        const follower = await follow(bob, roomId);
        const next = follower.next();
        return async () => {
          for (const typing of [true, false, true, false]) await type(alice, roomId, typing);
          await type(carol, roomId, true);
          assert.deepEqual(await next, [carol.userId]);
        };
      }),
    );
  }
});
