import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ephemeralPause } from '@portico/server/services/sync/ephemeral-pauses.ts';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncBody, type SyncClient } from '@portico/testkit/sync-client.ts';

describe('typing', () => {
  const server = serverOfSuite();

  const person = async () => createSyncClient(await server.registerUser());
  const pair = () => createPair(server);
  const type = (by: SyncClient, roomId: string, body: object, as = by) =>
    by.http.put(by.room(roomId, `typing/${encodeURIComponent(as.userId)}`), body);
  function typists({ rooms }: SyncBody, roomId: string): unknown {
    return rooms?.join?.[roomId]?.ephemeral.events.find((event) => event.type === 'm.typing')?.content['user_ids'];
  }

  test('is over for who did not hear of it, too', async () => {
    const { alice, bob, roomId } = await pair();
    const { next_batch: since } = await bob.sync();
    await type(alice, roomId, { typing: true });
    await type(alice, roomId, { typing: false });
    assert.deepEqual(typists(await bob.sync({ since }), roomId), []);
  });

  test(
    'wakes those who wait, with the list as it is, and nobody when nothing changes',
    { timeout: 20_000 },
    async () => {
      const { alice, bob, roomId } = await pair();
      // Else that she is online now were news.
      await alice.sync();
      const start = await bob.sync();
      const waiting = bob.sync({ since: start.next_batch, timeout: 60_000 });
      for (let count = 0; count < 3; count++) await alice.sync();
      assert.equal((await type(alice, roomId, { typing: true, timeout: 60_000 })).status, 200);
      const begun = await waiting;
      assert.deepEqual(typists(begun, roomId), [alice.userId]);
      const room = begun.rooms?.join?.[roomId];
      assert.deepEqual([room?.timeline.events, 'unread_notifications' in (room ?? {})], [[], false]);
      assert.equal(JSON.stringify(room?.ephemeral).includes('room_id'), false);

      await type(alice, roomId, { typing: true });
      assert.equal((await bob.sync({ since: begun.next_batch })).rooms, undefined);
      const ending = bob.sync({ since: begun.next_batch, timeout: 60_000 });
      for (let count = 0; count < 3; count++) await alice.sync();
      await type(alice, roomId, { typing: false });
      assert.deepEqual(typists(await ending, roomId), []);
      assert.deepEqual(typists(await bob.sync(), roomId), undefined);
    },
  );

  test('what could wait goes along with a message', { timeout: 60_000 }, async () => {
    const { alice, bob, roomId } = await pair();
    const carol = await person();
    await carol.join(roomId);
    const filter = { presence: { types: [] } };
    const start = await bob.sync({ filter });
    await type(alice, roomId, { typing: true });
    const first = await bob.sync({ filter, since: start.next_batch, timeout: 30_000 });
    assert.deepEqual(typists(first, roomId), [alice.userId]);
    const began = performance.now();
    const next = bob.sync({ filter, since: first.next_batch, timeout: 30_000 });
    await type(carol, roomId, { typing: true });
    await alice.send(roomId, 'tea?');
    const second = await next;
    const room = second.rooms?.join?.[roomId];
    assert.deepEqual(typists(second, roomId), [alice.userId, carol.userId]);
    // Unless sending took longer than typing may wait.
    if (performance.now() - began < ephemeralPause) assert.equal(room?.timeline.events[0]?.content['body'], 'tea?');
  });

  test('sliding sync, too, tells together what comes in quick succession', { timeout: 60_000 }, async () => {
    const { alice, bob, roomId } = await pair();
    const body = {
      lists: { all: { ranges: [[0, 9]], timeline_limit: 1, required_state: [] } },
      extensions: { typing: { enabled: true } },
    };
    let { pos } = await bob.slide(body);
    const began = performance.now();
    const changing = (async () => {
      for (let count = 0; count < 9; count++) await type(alice, roomId, { typing: count % 2 === 0 });
      await alice.send(roomId, 'tea?');
    })();
    let [answers, isTyping, hasMessage] = [0, false, false];
    while (!isTyping || !hasMessage) {
      const answer = await bob.slide(body, { pos, timeout: 30_000 });
      answers += 1;
      pos = answer.pos;
      const typing = answer.extensions.typing?.rooms[roomId];
      if (typing !== undefined)
        isTyping = JSON.stringify(typing.content['user_ids']) === JSON.stringify([alice.userId]);
      hasMessage ||= answer.rooms[roomId]?.timeline?.some(({ content }) => content['body'] === 'tea?') === true;
    }
    await changing;
    const seconds = (performance.now() - began) / 1000;
    assert.ok(answers <= 3 + seconds, `${answers} answers in ${seconds} s`);
  });

  test('ends by itself, and when somebody leaves', async () => {
    const { alice, bob, roomId } = await pair();
    const { next_batch: since } = await bob.sync();
    await type(alice, roomId, { typing: true, timeout: 1 });
    const first = await bob.sync({ since, timeout: 20_000 });
    const second =
      (typists(first, roomId) as unknown[]).length === 0
        ? first
        : await bob.sync({ since: first.next_batch, timeout: 20_000 });
    assert.deepEqual(typists(second, roomId), []);

    await type(alice, roomId, { typing: true, timeout: 60_000 });
    assert.deepEqual(typists(await bob.sync(), roomId), [alice.userId]);
    await alice.leave(roomId);
    assert.equal(typists(await bob.sync(), roomId), undefined);
  });

  test('is for the members of the room only', async () => {
    const { alice, bob, roomId } = await pair();
    const stranger = await person();
    const { next_batch: since } = await stranger.sync();
    assert.equal((await type(stranger, roomId, { typing: true })).status, 403);
    assert.equal((await type(alice, roomId, { typing: true }, bob)).status, 403);
    assert.equal((await type(alice, roomId, {})).status, 400);
    assert.equal((await type(alice, '!nowhere:localhost', { typing: true })).status, 403);
    await type(alice, roomId, { typing: true });
    assert.equal((await stranger.sync({ since })).rooms, undefined);
  });

  test('of ignored people, and where a filter wants none, is not shown', async () => {
    const { alice, bob, roomId } = await pair();
    const filter = { room: { ephemeral: { not_types: ['m.typing'] } } };
    await type(alice, roomId, { typing: true });
    assert.equal(typists(await bob.sync({ filter }), roomId), undefined);
    await bob.setAccountData('m.ignored_user_list', { ignored_users: { [alice.userId]: {} } });
    assert.equal(typists(await bob.sync(), roomId), undefined);
  });

  test('a token of another process brings who is typing now', async () => {
    const { alice, bob, roomId } = await pair();
    const { next_batch: since } = await bob.sync();
    await type(alice, roomId, { typing: true });
    const other = since.replace(/_t[^_]*/, '_tanother.7');
    assert.notEqual(other, since);
    assert.deepEqual(typists(await bob.sync({ since: other }), roomId), [alice.userId]);
  });
});
