import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { createTestDatabase } from '@portico/testkit';
import { freePort } from '@portico/testkit/server-process.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';
import { createKillableServer, listenersAt } from './killable-server.ts';
import { createPeople, type People, type Person } from './person.ts';
import { EventStatus, Preset, SyncState, type Room } from './sdk.ts';

type Place = { readonly dataDir: string; readonly databaseUrl: string; readonly port: number };

/** Where a server can be ended and started again. */
async function makePlace(context: TestContext, engine: 'sqlite' | 'postgres'): Promise<Place> {
  const dataDir = mkdtempSync(join(tmpdir(), 'portico-restart-'));
  context.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const databaseUrl = engine === 'sqlite' ? 'sqlite:portico.db' : await createTestDatabase();
  return { dataDir, databaseUrl, port: await freePort() };
}

async function arrive(people: People): Promise<{ alice: Person; bob: Person; roomId: string }> {
  const [alice, bob] = await Promise.all([people.arrive('alice'), people.arrive('bob')]);
  const { room_id: roomId } = await alice.client.createRoom({ preset: Preset.PublicChat });
  await bob.client.joinRoom(roomId);
  await Promise.all([alice.inRoom(roomId), bob.inRoom(roomId)]);
  return { alice, bob, roomId };
}

async function notices({ client, until }: Person): Promise<void> {
  const isCutOff = () => client.getSyncState() === SyncState.Reconnecting || client.getSyncState() === SyncState.Error;
  await until('the end of the server', isCutOff);
}

/** Every message came down `/sync` once, and is shown in its place. */
function assertExact(person: Person, roomId: string, texts: readonly string[], ids: readonly string[]): void {
  assert.deepEqual(person.texts(roomId), texts);
  const received = person.received.filter((id) => ids.includes(id));
  assert.deepEqual(received, ids, 'each once, in order');
}

function messageIds(room: Room): string[] {
  const messages = room.getLiveTimeline().getEvents();
  return messages.filter((event) => event.getType() === 'm.room.message').map((event) => event.getId() ?? '');
}

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`matrix-js-sdk over the end of a server (${engine})`, () => {
    test('goes on with its sync token after a restart, and neither misses an event nor gets one twice', async (context) => {
      const place = await makePlace(context, engine);
      const start = () => startTestServer({ ...place, settings: { LISTENERS: listenersAt(place.port) } });
      let server = await start();
      context.after(() => server.stop());
      const people = createPeople(() => server.baseUrl);
      context.after(() => people.stopAll());
      const { alice, bob, roomId } = await arrive(people);
      const session = {
        userId: alice.userId,
        accessToken: alice.client.getAccessToken() ?? '',
        deviceId: alice.client.getDeviceId() ?? '',
      };

      const texts: string[] = [];
      const ids: string[] = [];
      for (const text of ['one', 'two']) {
        texts.push(text);
        ids.push((await alice.client.sendTextMessage(roomId, text)).event_id);
      }
      await Promise.all([alice.reads(roomId, 'two'), bob.reads(roomId, 'two')]);
      const [asked, tokens] = [bob.asked.length, bob.client.store.getSyncToken()];

      await server.stop();
      await Promise.all([notices(alice), notices(bob)]);
      server = await start();
      // Sent before the clients know that the server is back.
      const otherDevice = createSyncClient(server.as(session));
      for (const text of ['while they were away', 'and one more']) {
        texts.push(text);
        ids.push(await otherDevice.send(roomId, text));
      }
      for (const { client } of [alice, bob]) client.retryImmediately();
      await Promise.all([alice.reads(roomId, 'and one more'), bob.reads(roomId, 'and one more')]);
      assert.equal(bob.asked[asked - 1], tokens, 'the request that was cut off is asked again');
      assert.equal(bob.asked[asked], tokens);

      texts.push('after it all');
      ids.push((await bob.client.sendTextMessage(roomId, 'after it all')).event_id);
      await Promise.all([alice.reads(roomId, 'after it all'), bob.reads(roomId, 'after it all')]);
      assertExact(alice, roomId, texts, ids);
      assertExact(bob, roomId, texts, ids);
      assert.ok(!alice.asked.slice(1).includes(null) && !bob.asked.slice(1).includes(null), 'no second initial sync');
      assert.deepEqual(server.errors, []);
    });

    test('sends again what a killed server did not answer, and every message is there once', async (context) => {
      const { port, dataDir, databaseUrl } = await makePlace(context, engine);
      const server = createKillableServer(port, dataDir, databaseUrl);
      context.after(() => server.kill());
      await server.start();
      const people = createPeople(() => server.baseUrl);
      context.after(() => people.stopAll());
      const { alice, bob, roomId } = await arrive(people);
      const room = await alice.inRoom(roomId);

      // Few enough that the client never gets more at once than it takes without a gap.
      const texts = Array.from({ length: 6 }, (_, index) => `message ${index}`);
      const send = (text: string | undefined) => alice.client.sendTextMessage(roomId, text ?? '');
      for (const text of texts.slice(0, 4)) await send(text);
      await bob.reads(roomId, texts[3] ?? '');
      // Whether the server got, stored or answered this one is a matter of luck; the next one finds it dead.
      const onTheWay = Promise.allSettled([send(texts[4])]);
      await server.kill();
      await onTheWay;
      await assert.rejects(send(texts[5]));
      await Promise.all([notices(alice), notices(bob)]);

      await server.start();
      for (const event of room.getLiveTimeline().getEvents()) {
        if (event.status === EventStatus.NOT_SENT) await alice.client.resendEvent(event, room);
      }
      for (const { client } of [alice, bob]) client.retryImmediately();
      await Promise.all([alice.reads(roomId, texts.at(-1) ?? ''), bob.reads(roomId, texts.at(-1) ?? '')]);
      await alice.until('no local echoes', () => messageIds(room).every((id) => id.startsWith('$')));
      const ids = messageIds(await bob.inRoom(roomId));
      assert.equal(new Set(ids).size, texts.length);
      assertExact(bob, roomId, texts, ids);
      assertExact(alice, roomId, texts, ids);
      assert.ok(!alice.asked.slice(1).includes(null) && !bob.asked.slice(1).includes(null), 'no second initial sync');
    });
  });
}
