import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SlidingBody, type SyncClient } from '@portico/testkit/sync-client.ts';

const name = 'org.matrix.msc4354.sticky_events';
const list = (more: object = {}) => ({ all: { ranges: [[0, 19]], timeline_limit: 1, required_state: [], ...more } });
const asking = (since?: string, more: object = {}) => ({
  lists: list(),
  extensions: { [name]: { enabled: true, ...(since !== undefined && { since }) } },
  ...more,
});
const told = ({ extensions }: SlidingBody, roomId: string) =>
  extensions[name]?.rooms[roomId]?.events.map((event) => event.content['body']) ?? [];
const next = ({ extensions }: SlidingBody) => extensions[name]?.next_batch;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`sticky events in sliding sync (${engine})`, () => {
    const server = serverOfSuite({ engine });
    async function sticking(who: SyncClient, roomId: string, ...texts: readonly string[]): Promise<void> {
      for (const text of texts) await who.stick(roomId, text);
      await who.send(roomId, 'after that');
    }

    test('they come once, beside the timelines, as far as the client says it has them', async () => {
      const { alice, bob, roomId } = await createPair(server);
      await sticking(alice, roomId, 'one');
      const first = await bob.slide(asking());
      assert.deepEqual(told(first, roomId), ['one']);
      const [event] = first.extensions[name]?.rooms[roomId]?.events ?? [];
      assert.deepEqual(event?.msc4354_sticky, { duration_ms: 300_000 });
      assert.ok(Number(event.unsigned['msc4354_sticky_duration_ttl_ms']) > 0);
      // Who does not say that they have got them gets them again.
      const again = await bob.slide(asking(), { pos: first.pos });
      assert.deepEqual(told(again, roomId), ['one']);
      const quiet = await bob.slide(asking(next(again)), { pos: again.pos });
      assert.deepEqual([told(quiet, roomId), quiet.extensions[name]], [[], undefined]);
      const body = asking(next(again));
      const waiting = bob.slide(body, { pos: quiet.pos, timeout: 60_000 });
      await alice.stick(roomId, 'in the timeline');
      const live = await waiting;
      assert.deepEqual(told(live, roomId), []);
      assert.deepEqual(live.rooms[roomId]?.timeline?.at(-1)?.content, { body: 'in the timeline' });
      const after = await bob.slide(asking(next(live)), { pos: live.pos });
      assert.equal(after.extensions[name], undefined);
      assert.equal((await bob.slide({ lists: list() })).extensions[name], undefined);
    });

    test('those of rooms outside of the windows come, and of rooms that no list is about do not', async () => {
      const { alice, bob, roomId } = await createPair(server);
      const direct = await alice.createRoom();
      await bob.join(direct);
      await bob.setAccountData('m.direct', { [alice.userId]: [direct] });
      await sticking(alice, direct, 'direct');
      await sticking(alice, roomId, 'one');
      await alice.send(direct, 'the most active room');
      const narrow = await bob.slide(asking(undefined, { lists: list({ ranges: [[0, 0]] }) }));
      assert.deepEqual(Object.keys(narrow.rooms), [direct]);
      assert.deepEqual([told(narrow, direct), told(narrow, roomId)], [['direct'], ['one']]);
      const filtered = await bob.slide(asking(undefined, { lists: list({ filters: { is_dm: true } }) }));
      assert.deepEqual([told(filtered, direct), told(filtered, roomId)], [['direct'], []]);
      const subscribed = { lists: {}, room_subscriptions: { [roomId]: { timeline_limit: 1, required_state: [] } } };
      const subscription = await bob.slide(asking(undefined, subscribed));
      assert.deepEqual([told(subscription, direct), told(subscription, roomId)], [[], ['one']]);
    });

    test('they come in portions, and with every room that is joined', async () => {
      const { alice, bob, roomId } = await createPair(server);
      await sticking(alice, roomId, 'one', 'two', 'three');
      const limited = (since?: string) => ({
        lists: list(),
        extensions: { [name]: { enabled: true, limit: 2, ...(since !== undefined && { since }) } },
      });
      const first = await bob.slide(limited());
      assert.deepEqual(told(first, roomId), ['one', 'two']);
      const second = await bob.slide(limited(next(first)), { pos: first.pos, timeout: 60_000 });
      assert.deepEqual(told(second, roomId), ['three']);
      const other = await alice.createRoom();
      await alice.setState(other, 'm.room.history_visibility', { history_visibility: 'joined' });
      await sticking(alice, other, 'before');
      await bob.join(other);
      const third = await bob.slide(limited(next(second)), { pos: second.pos });
      assert.deepEqual(told(third, other), ['before']);
      const wrong = { enabled: true, since: 'nonsense' };
      const response = await bob.http.post('/_matrix/client/unstable/org.matrix.simplified_msc3575/sync', {
        lists: list(),
        extensions: { [name]: wrong },
      });
      assert.deepEqual([response.status, response.body['errcode']], [400, 'M_INVALID_PARAM']);
      const carol = createSyncClient(await server.registerUser());
      assert.deepEqual((await carol.slide(limited())).extensions[name]?.rooms, {});
    });
  });
}
