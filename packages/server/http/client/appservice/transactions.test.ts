import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { actingAs, startTestBridge, type TestBridge } from '@portico/testkit/bridge.ts';
import { startTestServer, type TestServerOptions } from '@portico/testkit/server.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';

const v3 = '/_matrix/client/v3';
const ghost = '@_ghost_a:localhost';

async function start(bridge: TestBridge, options: TestServerOptions) {
  const server = await startTestServer({
    ...options,
    settings: { APPLICATION_SERVICES: JSON.stringify([bridge.file]) },
  });
  const as = server.as({ userId: '@_bot:localhost', accessToken: bridge.asToken, deviceId: '' });
  const room = (roomId: string, rest: string) => `${v3}/rooms/${encodeURIComponent(roomId)}/${rest}`;
  return {
    server,
    as,
    room,
    makeGhost: (username = '_ghost_a') =>
      as.post(`${v3}/register`, { type: 'm.login.application_service', username, inhibit_login: true }),
    join: (roomId: string, userId = ghost) => as.post(actingAs(room(roomId, 'join'), userId), {}),
    leave: (roomId: string, userId = ghost) => as.post(actingAs(room(roomId, 'leave'), userId), {}),
    person: async () => createSyncClient(await server.registerUser()),
  };
}

/** What the messages say that a bridge got. */
const texts = ({ events }: TestBridge): string[] =>
  events.filter(({ type }) => type === 'm.room.message').map(({ content }) => String(content['body']));
const hasText = (bridge: TestBridge, text: string) => () => texts(bridge).includes(text);

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`transactions (${engine})`, async () => {
    const bridge = await startTestBridge();
    const { server, makeGhost, join, leave, person, room, as } = await start(bridge, { engine });
    after(async () => {
      await server.close();
      await bridge.close();
    });
    await makeGhost();

    test('bring what happens where its users are, and nothing from before or after', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      await alice.send(roomId, 'before');
      await alice.invite(roomId, ghost);
      const isInvitation = () =>
        bridge.events.find(({ content, state_key: key }) => key === ghost && content['membership'] === 'invite');
      await bridge.until(() => isInvitation() !== undefined);
      const invitation = isInvitation();
      assert.equal(invitation?.room_id, roomId);
      const stripped = invitation?.unsigned['invite_room_state'] as { type: string }[];
      assert.ok(stripped.some(({ type }) => type === 'm.room.create'));
      await alice.send(roomId, 'between');
      await join(roomId);
      await alice.send(roomId, 'while there');
      await leave(roomId);
      await alice.send(roomId, 'after');
      const other = await alice.createRoom();
      await join(other);
      await alice.send(other, 'elsewhere');
      await bridge.until(hasText(bridge, 'elsewhere'));
      assert.deepEqual(texts(bridge), ['while there', 'elsewhere']);
      const leaving = bridge.events.filter((event) => event.room_id === roomId).at(-1);
      assert.equal(leaving?.content['membership'], 'leave');
    });

    test('have the token in a header and nowhere else', async () => {
      assert.ok(bridge.requests.length > 0);
      for (const { authorization, query, method } of bridge.requests) {
        assert.deepEqual([method, authorization, query.size], ['PUT', `Bearer ${bridge.hsToken}`, 0]);
      }
    });

    test('bring what its users do wherever they are, its own user included, and rooms by their alias', async () => {
      const { body } = await as.post(`${v3}/createRoom`, { preset: 'public_chat', room_alias_name: '_portal_named' });
      const roomId = String(body['room_id']);
      await as.put(room(roomId, 'send/m.room.message/1'), { body: 'by the bot', msgtype: 'm.text' });
      await bridge.until(hasText(bridge, 'by the bot'));
      const alice = await person();
      await alice.join(roomId);
      await as.post(room(roomId, 'leave'), {});
      await alice.send(roomId, 'in the portal');
      await bridge.until(hasText(bridge, 'in the portal'));
    });

    test('do not grow with what waits, and keep the order', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      await join(roomId);
      await bridge.down();
      const sent = Array.from({ length: 230 }, (_, index) => `message ${index}`);
      for (const text of sent) await alice.send(roomId, text);
      await bridge.up();
      // Whoever is heard of can be reached again.
      await as.get(`${v3}/account/whoami`);
      await bridge.until(hasText(bridge, 'message 229'));
      assert.deepEqual(
        texts(bridge).filter((text) => text.startsWith('message')),
        sent,
      );
      for (const { body } of bridge.transactions) assert.ok((body['events'] as unknown[]).length <= 100);
      const ids = bridge.requests.map(({ path }) => Number(path.split('/').at(-1)));
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      );
    });

    test('are repeated as they were until they are taken', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      await join(roomId);
      const refused: string[] = [];
      bridge.answerWith(({ path, body }) => {
        if (!JSON.stringify(body).includes('refused at first')) return undefined;
        refused.push(path);
        return refused.length < 3 ? { status: 500 } : undefined;
      });
      await alice.send(roomId, 'refused at first');
      await bridge.until(() => refused.length === 1);
      await alice.send(roomId, 'afterwards');
      await bridge.until(() => refused.length === 2);
      await as.get(`${v3}/account/whoami`);
      await bridge.until(hasText(bridge, 'afterwards'));
      bridge.answerWith(undefined);
      assert.equal(new Set(refused).size, 1);
      const last = texts(bridge).slice(-2);
      assert.deepEqual(last, ['refused at first', 'afterwards']);
    });
  });

  test(`nothing is lost or changed where the server ends in the middle (${engine})`, async (t) => {
    const bridge = await startTestBridge();
    t.after(() => bridge.close());
    const first = await start(bridge, { engine });
    await first.makeGhost();
    const alice = await first.person();
    const roomId = await alice.createRoom();
    await first.join(roomId);
    await alice.send(roomId, 'before');
    await bridge.until(hasText(bridge, 'before'));
    bridge.answerWith(() => ({ status: 503 }));
    const paths = () => bridge.requests.map(({ path }) => path);
    const known = paths().length;
    await alice.send(roomId, 'in the middle');
    await bridge.until(() => paths().length > known);
    await alice.send(roomId, 'and more');
    await first.server.stop();
    const pending = bridge.requests.at(-1);
    bridge.answerWith(undefined);

    const { dataDir, databaseUrl } = first.server;
    const second = await start(bridge, { engine, dataDir, databaseUrl });
    t.after(() => second.server.close());
    // Its users are known without their joining anew.
    const message = { body: 'after', msgtype: 'm.text' };
    await second.server.as(alice.http).put(second.room(roomId, 'send/m.room.message/after'), message);
    await second.as.get(`${v3}/account/whoami`);
    await bridge.until(hasText(bridge, 'after'));
    assert.deepEqual(texts(bridge), ['before', 'in the middle', 'and more', 'after']);
    const repeated = bridge.transactions.find(({ path }) => path === pending?.path);
    const ids = (body: unknown) => (body as { events: { event_id: string }[] }).events.map(({ event_id: id }) => id);
    assert.deepEqual(ids(repeated?.body), ids(pending?.body));
    assert.deepEqual(second.server.errors, []);
  });
}

test('a service whose namespaces change is told of the rooms that its users are in already', async (t) => {
  const bridge = await startTestBridge({ namespaces: { users: [{ exclusive: false, regex: '@nobody' }] } });
  const wider = await startTestBridge({ namespaces: { users: [{ exclusive: false, regex: '@_ghost' }] } });
  t.after(() => Promise.all([bridge.close(), wider.close()]));
  const first = await start(bridge, {});
  const ghostly = createSyncClient(await first.server.registerUser('_ghost_here'));
  const roomId = await ghostly.createRoom();
  await first.server.stop();
  const second = await start(wider, { dataDir: first.server.dataDir, databaseUrl: first.server.databaseUrl });
  t.after(() => second.server.close());
  const alice = await second.person();
  await alice.join(roomId);
  await alice.send(roomId, 'hello');
  await wider.until(hasText(wider, 'hello'));
});

test('a service that was removed and comes back is sent no transaction ID that it has seen', async (t) => {
  const bridge = await startTestBridge();
  const other = await startTestBridge({ id: 'other', sender_localpart: 'other', namespaces: {} });
  t.after(() => Promise.all([bridge.close(), other.close()]));
  const first = await start(bridge, {});
  await first.makeGhost();
  const alice = await first.person();
  const roomId = await alice.createRoom();
  await first.join(roomId);
  await alice.send(roomId, 'before');
  await bridge.until(hasText(bridge, 'before'));
  await first.server.stop();
  const { dataDir, databaseUrl } = first.server;
  await (await start(other, { dataDir, databaseUrl })).server.stop();
  const again = await start(bridge, { dataDir, databaseUrl });
  t.after(() => again.server.close());
  const message = { body: 'after', msgtype: 'm.text' };
  await again.server.as(alice.http).put(again.room(roomId, 'send/m.room.message/after'), message);
  await bridge.until(hasText(bridge, 'after'));
  const ids = bridge.requests.map(({ path }) => path);
  assert.deepEqual(ids, [...new Set(ids)]);
});

test('earlier paths are used where a service knows no others', async (t) => {
  const bridge = await startTestBridge();
  t.after(() => bridge.close());
  const old: string[] = [];
  bridge.answerWith(({ path }) => {
    if (path.startsWith('/_matrix/app/')) return { status: 404, body: { errcode: 'M_UNRECOGNIZED' } };
    old.push(path);
    return { status: 200 };
  });
  const { server, as } = await start(bridge, {});
  t.after(() => server.close());
  await as.post(`${v3}/createRoom`, {});
  await bridge.until(() => old.length > 0);
  assert.match(old[0] ?? '', /^\/transactions\/\d+$/);
});
