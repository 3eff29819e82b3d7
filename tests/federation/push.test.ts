import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { startTestGateway } from '@portico/testkit/push-gateway.ts';
import { createRoom, join, say } from '@portico/testkit/people.ts';

const v3 = '/_matrix/client/v3';

test('devices are told of invitations and messages from other servers', async (context) => {
  const network = await startTestNetwork(['hs1', 'hs2']);
  const gateway = await startTestGateway({ authority: network.authority, host: 'push.test:8448' });
  network.addPeer('push.test', gateway.port);
  context.after(async () => {
    await network.close();
    await gateway.close();
  });
  const [alice, bob, eve] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
    network.server('hs2').registerUser('eve'),
  ]);
  const names = { app_display_name: 'App', device_display_name: 'Phone', lang: 'en' };
  const pusher = { kind: 'http', app_id: 'org.example', pushkey: 'phone', ...names, data: { url: gateway.url } };
  assert.equal((await alice.post(`${v3}/pushers/set`, pusher)).status, 200);
  await alice.put(`${v3}/user/${alice.userId}/account_data/m.invite_permission_config`, {
    ignored_users: [eve.userId],
  });
  await bob.put(`${v3}/profile/${bob.userId}/displayname`, { displayname: 'Bob' });
  await createRoom(eve, { preset: 'private_chat', name: 'Spam', invite: [alice.userId] });
  const roomId = await createRoom(bob, { preset: 'private_chat', name: 'Party', invite: [alice.userId] });
  await gateway.until(() => gateway.notifications.length > 0);
  const [invitation] = gateway.notifications;
  assert.deepEqual(
    [invitation?.room_id, invitation?.['room_name'], invitation?.['sender'], invitation?.['sender_display_name']],
    [roomId, 'Party', bob.userId, 'Bob'],
  );
  assert.deepEqual([invitation?.['user_is_target'], invitation?.['prio']], [true, 'high']);
  await join(alice, roomId, 'hs2');
  const eventId = await say(bob, roomId, 'hello');
  await gateway.until(() => gateway.notifications.some(({ event_id: id }) => id === eventId));
  const message = gateway.notifications.at(-1);
  assert.deepEqual(
    [message?.['room_name'], message?.['sender_display_name'], message?.counts],
    ['Party', 'Bob', { unread: 1 }],
  );
  assert.equal(gateway.notifications.length, 2);
  for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
});
