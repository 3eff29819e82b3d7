import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actingAs, startTestBridge, type TestBridge } from '@portico/testkit/bridge.ts';
import { startBridgedServer } from '@portico/testkit/bridged-server.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';

const v3 = '/_matrix/client/v3';
const ghost = '@_ghost_a:localhost';
const sharing = 'm.presence_sharing_config';

type Told = { readonly type: string; readonly sender: string; readonly content: { readonly [key: string]: unknown } };

/** What a bridge was told of somebody, in order. */
function told(bridge: TestBridge, who: SyncClient): Told['content'][] {
  return bridge.transactions
    .flatMap(({ body }) => (body['ephemeral'] ?? []) as Told[])
    .filter(({ type, sender }) => type === 'm.presence' && sender === who.userId)
    .map(({ content }) => content);
}
const last = (bridge: TestBridge, who: SyncClient) => told(bridge, who).at(-1);
const shown = (bridge: TestBridge, who: SyncClient, presence: string, status?: string) =>
  bridge.until(() => {
    const { presence: state, status_msg: message } = last(bridge, who) ?? {};
    return state === presence && message === status;
  });
async function set(who: SyncClient, presence: string, status_msg?: string): Promise<void> {
  const { status } = await who.http.put(`${v3}/presence/${encodeURIComponent(who.userId)}/status`, {
    presence,
    ...(status_msg !== undefined && { status_msg }),
  });
  assert.equal(status, 200);
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a service is told whom its users may see, and nothing of others (${engine})`, async (t) => {
    const bridge = await startTestBridge({ receive_ephemeral: true });
    const plain = await startTestBridge({
      id: 'plain',
      sender_localpart: 'plain',
      namespaces: { users: [{ exclusive: false, regex: '@.*' }] },
    });
    const { server, as } = await startBridgedServer(t, [bridge, plain], { engine });
    await as.post(`${v3}/register`, { type: 'm.login.application_service', username: '_ghost_a', inhibit_login: true });
    const [alice, stranger, named] = [
      createSyncClient(await server.registerUser()),
      createSyncClient(await server.registerUser()),
      createSyncClient(await server.registerUser()),
    ];
    await set(stranger, 'online', 'never seen');
    await set(alice, 'online', 'before');
    const roomId = await alice.createRoom();
    const post = (rest: string, body: object) => as.post(actingAs(alice.room(roomId, rest), ghost), body);

    // Whoever comes into the room sees who is there.
    await post('join', {});
    await shown(bridge, alice, 'online', 'before');
    await set(alice, 'unavailable', 'away');
    await shown(bridge, alice, 'unavailable', 'away');

    // A transaction that is not taken comes again, with the last word on everybody.
    let refusals = 0;
    bridge.answerWith(({ path }) => (path.includes('/transactions/') && ++refusals < 2 ? { status: 500 } : undefined));
    await alice.setAccountData(sharing, { denied_users: [ghost, '@_bot:localhost'] });
    await bridge.until(() => refusals > 0 && last(bridge, alice)?.['presence'] === 'offline');
    assert.deepEqual(last(bridge, alice), { presence: 'offline' });
    const before = told(bridge, alice).length;
    await set(alice, 'online', 'secret');

    // A name is enough, and so is a pattern, without any room.
    await set(named, 'online', 'for the bot');
    await named.setAccountData(sharing, { allowed_users: ['@_bot:localhost'] });
    await shown(bridge, named, 'online', 'for the bot');
    await named.setAccountData(sharing, { allowed_users: ['@_gh?st_*'], denied_users: ['*'] });
    await set(named, 'online', 'for the ghost');
    await shown(bridge, named, 'online', 'for the ghost');
    assert.equal(told(bridge, alice).length, before);

    await alice.setAccountData(sharing, { denied_users: ['@_bot:localhost'] });
    await shown(bridge, alice, 'online', 'secret');
    await alice.setAccountData('m.ignored_user_list', { ignored_users: { [ghost]: {} } });
    await bridge.until(() => last(bridge, alice)?.['presence'] === 'offline');
    await alice.setAccountData('m.ignored_user_list', { ignored_users: {} });
    await shown(bridge, alice, 'online', 'secret');
    await post('leave', {});
    await bridge.until(() => last(bridge, alice)?.['presence'] === 'offline');
    assert.deepEqual(last(bridge, alice), { presence: 'offline' });

    assert.deepEqual(told(bridge, stranger), []);
    const alias = 'de.sorunome.msc2409.ephemeral';
    for (const { body } of bridge.transactions) assert.deepEqual(body[alias], body['ephemeral']);
    for (const { body } of plain.transactions) assert.deepEqual(Object.keys(body), ['events']);
    assert.deepEqual(server.errors, []);
  });
}
