import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actingAs, startTestBridge, type TestBridge } from '@portico/testkit/bridge.ts';
import { startBridgedServer } from '@portico/testkit/bridged-server.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';

const v3 = '/_matrix/client/v3';
const ghost = '@_ghost_a:localhost';
const toDevice = 'de.sorunome.msc2409.to_device';

/** Everything of a field in all transactions. */
function all(bridge: TestBridge, field: string): { readonly [key: string]: unknown }[] {
  return bridge.transactions.flatMap(({ body }) => (body[field] ?? []) as { [key: string]: unknown }[]);
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a service that wants them gets typing, receipts and messages to its devices, others do not (${engine})`, async (t) => {
    const bridge = await startTestBridge({ receive_ephemeral: true, 'org.matrix.msc3202': true });
    const plain = await startTestBridge({
      id: 'plain',
      sender_localpart: 'plain',
      namespaces: { users: [{ exclusive: false, regex: '@' }] },
    });
    const { server, as } = await startBridgedServer(t, [bridge, plain], { engine });
    await as.post(`${v3}/register`, { type: 'm.login.application_service', username: '_ghost_a', device_id: 'GHOST' });
    const [alice, bob] = [createSyncClient(await server.registerUser()), createSyncClient(await server.registerUser())];
    const [roomId, elsewhere] = [await alice.createRoom(), await alice.createRoom()];
    await as.post(actingAs(alice.room(roomId, 'join'), ghost), {});

    for (const where of [elsewhere, roomId]) {
      await alice.http.put(alice.room(where, `typing/${alice.userId}`), { typing: true, timeout: 30_000 });
      await bob.join(where);
      const [first, second] = [await bob.send(where, `in ${where}`), await bob.send(where, 'more')];
      // Both with one commit, so that one transaction is about both.
      const markers = { 'm.read': first, 'm.read.private': second };
      await alice.http.post(alice.room(where, 'read_markers'), markers);
    }
    const messages = { [ghost]: { '*': { a: 1 } }, [alice.userId]: { '*': { a: 2 } } };
    await alice.http.put(`${v3}/sendToDevice/org.example.type/1`, { messages });
    await bridge.until(() => all(bridge, toDevice).length > 0);
    await bridge.until(() => all(bridge, 'ephemeral').some(({ type }) => type === 'm.receipt'));
    await bridge.until(() => all(bridge, 'ephemeral').some(({ type }) => type === 'm.typing'));

    assert.deepEqual(all(bridge, toDevice), [
      {
        content: { a: 1 },
        sender: alice.userId,
        to_device_id: 'GHOST',
        to_user_id: ghost,
        type: 'org.example.type',
      },
    ]);
    const ephemeral = all(bridge, 'ephemeral');
    assert.deepEqual(new Set(ephemeral.map((event) => event['room_id'])), new Set([roomId]));
    assert.ok(!JSON.stringify(ephemeral).includes('m.read.private'));
    assert.deepEqual(all(bridge, 'de.sorunome.msc2409.ephemeral'), ephemeral);
    // A transaction comes when the one before it is done with.
    const last = await alice.send(roomId, 'last');
    await bridge.until(() => bridge.events.some(({ event_id: id }) => id === last));
    // What was delivered does not wait for a sync as well; Alice's own message does.
    const { body } = await as.get(actingAs(`${v3}/sync`, ghost, 'GHOST'));
    assert.equal(body['to_device'], undefined);
    assert.ok((await alice.sync())['to_device'] !== undefined);
    for (const { body: sent } of plain.transactions) assert.deepEqual(Object.keys(sent), ['events']);
  });
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`messages wait for a sync where a device is logged in and the service leaves encryption to it (${engine})`, async (t) => {
    const bridge = await startTestBridge({ receive_ephemeral: true });
    const { server, as } = await startBridgedServer(t, [bridge], { engine });
    await as.post(`${v3}/register`, { type: 'm.login.application_service', username: '_ghost_a', inhibit_login: true });
    const identifier = { type: 'm.id.user', user: ghost };
    const login = await as.post(`${v3}/login`, {
      type: 'm.login.application_service',
      identifier,
      device_id: 'SYNCING',
    });
    await as.put(actingAs(`${v3}/devices/PUSHED`, ghost), {});
    const alice = createSyncClient(await server.registerUser());
    const roomId = await alice.createRoom();
    await as.post(actingAs(alice.room(roomId, 'join'), ghost), {});
    await alice.http.put(`${v3}/sendToDevice/org.example.type/1`, { messages: { [ghost]: { '*': { a: 1 } } } });
    await bridge.until(() => all(bridge, toDevice).length === 2);
    // A transaction comes when the one before it is done with.
    const last = await alice.send(roomId, 'last');
    await bridge.until(() => bridge.events.some(({ event_id: id }) => id === last));

    const syncing = server.as({ userId: ghost, accessToken: String(login.body['access_token']), deviceId: 'SYNCING' });
    const { body } = await syncing.get(`${v3}/sync`);
    const message = { content: { a: 1 }, sender: alice.userId, type: 'org.example.type' };
    assert.deepEqual(body['to_device'], { events: [message] });
    const pushed = await as.get(actingAs(`${v3}/sync`, ghost, 'PUSHED'));
    assert.equal(pushed.body['to_device'], undefined);
  });
}
