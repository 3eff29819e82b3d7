import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { eventIdOf, findRoomVersion, hashAndSignEvent, isJsonObject, signJson } from '@portico/protocol';
import { newDeviceKeys, newIdentity, plainJson } from '@portico/testkit/device-keys.ts';
import {
  answerDevices,
  device,
  devicesPath,
  keys,
  listed,
  listUpdate,
  mallory,
  openWithMallory,
  query,
  seen,
} from './mallory.ts';
import { edus, joinAs, sendTransaction } from './peer.ts';
import { sync } from './people.ts';

type Update = { readonly device_id: string; readonly stream_id: number; readonly prev_id: readonly number[] };

test('an update that names none before it only says that there was one', { timeout: 60_000 }, async (context) => {
  const { server, peer, alice, fetches } = await openWithMallory(context);
  answerDevices(peer, [listed('A')], { stream_id: 700 });
  assert.deepEqual(seen(await query(alice)), ['A']);
  // So do Conduit and its descendants, whatever has happened.
  const content = { user_id: mallory, device_id: 'dummy', device_display_name: 'Dummy', stream_id: 1, prev_id: [] };
  answerDevices(peer, [listed('A'), listed('B')], { stream_id: 701 });
  const { next_batch: since } = await sync(alice);
  await sendTransaction(peer, edus([{ edu_type: 'm.device_list_update', content }]));
  const { device_lists: lists } = await sync(alice, since);
  assert.deepEqual(lists, { changed: [mallory], left: [] });
  assert.deepEqual(seen(await query(alice)), ['A', 'B']);
  assert.equal(fetches(), 2);

  // A server that has begun to count again, as after a restored backup, is asked too.
  answerDevices(peer, [listed('C')], { stream_id: 12 });
  await sendTransaction(peer, edus([listUpdate({ stream_id: 12, prev_id: [11] })]));
  assert.deepEqual(seen(await query(alice)), ['C']);
  assert.equal(fetches(), 3);
  assert.deepEqual(server.errors, []);
});

test('null is as good as nothing in an update', { timeout: 60_000 }, async (context) => {
  const { server, peer, alice, fetches } = await openWithMallory(context);
  answerDevices(peer, [listed('A')], { stream_id: 4 });
  assert.deepEqual(seen(await query(alice)), ['A']);
  const { next_batch: since } = await sync(alice);
  await sendTransaction(peer, edus([listUpdate({ prev_id: null, stream_id: 5 })]));
  assert.deepEqual((await sync(alice, since))['device_lists'], { changed: [mallory], left: [] });
  assert.deepEqual(seen(await query(alice)), ['A']);
  assert.equal(fetches(), 2, 'it names no update before it');

  const { master_key: master } = newIdentity(mallory).body;
  const content = { user_id: mallory, master_key: master, self_signing_key: null };
  await sendTransaction(peer, edus([{ edu_type: 'm.signing_key_update', content }]));
  assert.deepEqual((await query(alice)).master_keys[mallory], master);
  assert.equal(fetches(), 2, 'all that was given is kept');
  assert.deepEqual(server.errors, []);
});

test('keys for signing that are known already say that a device was signed', { timeout: 60_000 }, async (context) => {
  const { server, peer, alice, fetches } = await openWithMallory(context);
  const identity = newIdentity(mallory);
  const { master_key: master, self_signing_key: selfSigning } = identity.body;
  const signing = { master_key: master, self_signing_key: selfSigning };
  answerDevices(peer, [listed('A')], { stream_id: 4, ...signing });
  assert.deepEqual((await query(alice)).master_keys[mallory], master);
  const signed = plainJson(signJson(device('A'), mallory, identity.self));
  answerDevices(peer, [listed('A', signed)], { stream_id: 5, ...signing });
  const content = { user_id: mallory, ...signing };
  await sendTransaction(peer, edus([{ edu_type: 'm.signing_key_update', content }]));
  const { signatures } = (await query(alice)).device_keys[mallory]?.['A'] ?? {};
  assert.deepEqual(signatures, signed['signatures']);
  assert.equal(fetches(), 2);

  const next = newIdentity(mallory).body;
  const renewed = { master_key: next.master_key, self_signing_key: next.self_signing_key };
  const update = { edu_type: 'm.signing_key_update', content: { user_id: mallory, ...renewed } };
  await sendTransaction(peer, edus([update]));
  assert.deepEqual((await query(alice)).master_keys[mallory], next.master_key);
  assert.equal(fetches(), 2, 'new ones are all that is new');
  assert.deepEqual(server.errors, []);
});

test('an update that is known already is no news', { timeout: 60_000 }, async (context) => {
  const { server, peer, alice, fetches } = await openWithMallory(context);
  answerDevices(peer, [listed('A')], { stream_id: 4 });
  await query(alice);
  const { next_batch: since } = await sync(alice);
  await sendTransaction(peer, edus([listUpdate({ stream_id: 4, prev_id: [3] })]));
  assert.equal((await sync(alice, since))['device_lists'], undefined);
  await sendTransaction(peer, edus([listUpdate({ device_id: 'B', keys: device('B'), stream_id: 5, prev_id: [4] })]));
  assert.deepEqual((await sync(alice, since))['device_lists'], { changed: [mallory], left: [] });
  assert.deepEqual(seen(await query(alice)), ['A', 'B']);
  assert.equal(fetches(), 1);
  assert.deepEqual(server.errors, []);
});

test('who asks after news is not given what was asked for before it', { timeout: 60_000 }, async (context) => {
  const { server, peer, alice, fetches } = await openWithMallory(context);
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  peer.on('GET', devicesPath, async () => {
    const devices = fetches() === 1 ? [listed('A')] : [listed('A'), listed('B')];
    asked.resolve();
    if (devices.length === 1) await answered.promise;
    return { body: { user_id: mallory, stream_id: devices.length, devices } };
  });
  const first = query(alice);
  await asked.promise;
  const { next_batch: since } = await sync(alice);
  await sendTransaction(peer, edus([listUpdate({ device_id: 'B', keys: device('B') })]));
  assert.deepEqual((await sync(alice, since))['device_lists'], { changed: [mallory], left: [] });
  assert.deepEqual(seen(await query(alice)), ['A', 'B']);
  answered.resolve();
  await first;
  assert.deepEqual(seen(await query(alice)), ['A', 'B']);
  assert.equal(fetches(), 2);
  assert.deepEqual(server.errors, []);
});

test('a device that is in a list before its update has come is told of', { timeout: 60_000 }, async (context) => {
  const { server, peer, alice, path } = await openWithMallory(context);
  answerDevices(peer, [listed('A')]);
  assert.deepEqual(seen(await query(alice)), ['A']);
  // A list from before somebody came counts no longer, and everything that they do to their profile counts as coming.
  await joinAs(peer, path, mallory);
  const { next_batch: since } = await sync(alice);
  answerDevices(peer, [listed('A'), listed('B')], { stream_id: 2 });
  assert.deepEqual(seen(await query(alice)), ['A', 'B']);
  const { device_lists: lists, next_batch: then } = await sync(alice, since);
  assert.deepEqual(lists, { changed: [mallory], left: [] });
  await sendTransaction(peer, edus([listUpdate({ device_id: 'B', keys: device('B') })]));
  assert.equal((await sync(alice, then))['device_lists'], undefined);
  assert.deepEqual(server.errors, []);
});

test(
  'somebody whose keys are too many or none hides nobody else of the same server',
  { timeout: 60_000 },
  async (context) => {
    const { server, peer, alice, path } = await openWithMallory(context);
    const other = '@other:peer.test';
    await joinAs(peer, path, other);
    const wrong = [{ padding: 'x'.repeat(3_000_000) }, { devices: {} }];
    for (const more of wrong) {
      peer.on('GET', devicesPath, ({ url }) => {
        const userId = decodeURIComponent(url.slice(devicesPath.length));
        const answer = { user_id: userId, stream_id: 1, devices: [{ device_id: 'A', keys: device('A', userId) }] };
        return { body: userId === mallory ? { ...answer, ...more } : answer };
      });
      peer.on('POST', '/_matrix/federation/v1/user/keys/claim', () => ({
        body: { one_time_keys: { [other]: { A: { 'signed_curve25519:K': { key: 'k' } } } } },
      }));
      assert.deepEqual(Object.keys((await query(alice)).failures), ['peer.test']);
      const answer = await query(alice, [other]);
      assert.deepEqual([seen(answer, other), answer.failures], [['A'], {}]);
      const claim = { one_time_keys: { [other]: { A: 'signed_curve25519' } } };
      const { body } = await alice.post(`${keys}/claim`, claim);
      assert.deepEqual(body['failures'], {});
      await sendTransaction(peer, edus([listUpdate({ user_id: other, prev_id: [9], stream_id: 10 })]));
    }
    assert.deepEqual(server.errors, []);
  },
);

test('every update names the one before it, the first and announcements too', { timeout: 60_000 }, async (context) => {
  const { server, peer, alice } = await openWithMallory(context);
  const updates: Update[] = [];
  let arrived = (): void => undefined;
  peer.on('PUT', '/_matrix/federation/v1/send/', ({ body }) => {
    const { edus: all = [] } = JSON.parse(body) as { edus?: { edu_type: string; content: Update }[] };
    updates.push(...all.filter((edu) => edu.edu_type === 'm.device_list_update').map(({ content }) => content));
    arrived();
    return { body: { pdus: {} } };
  });
  const answer = await peer.send('hs1', 'GET', `${devicesPath}${encodeURIComponent(alice.userId)}`);
  let last = (answer.body as { stream_id: number }).stream_id;
  for (let time = 0; time < 3; time++) {
    await alice.post(`${keys}/upload`, { device_keys: newDeviceKeys(alice) });
    while (!updates.some((update) => update.stream_id > last)) {
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    }
    const update = updates.find(({ stream_id: id }) => id > last);
    assert.deepEqual([update?.device_id, update?.prev_id], [alice.deviceId, [last]]);
    last = update?.stream_id ?? 0;
  }
  assert.deepEqual(server.errors, []);
});

test('whoever sees an event knows the devices that came with it', { timeout: 60_000 }, async (context) => {
  const { server, peer, alice, path } = await openWithMallory(context);
  answerDevices(peer, [listed('A')]);
  await query(alice);
  const uri = `/_matrix/federation/v1/make_join/${path}/${encodeURIComponent(mallory)}?ver=10`;
  const { body } = await peer.send('hs1', 'GET', uri);
  const rules = findRoomVersion('10');
  assert.ok(rules && isJsonObject(body) && isJsonObject(body['event']));
  const { state_key: _stateKey, ...template } = body['event'];
  const { body: state } = await alice.get(`/_matrix/client/v3/rooms/${path}/state`);
  const allowing = (state as unknown as { type: string; state_key: string; event_id: string }[]).filter(
    ({ type, state_key: key }) =>
      ['m.room.create', 'm.room.power_levels'].includes(type) || (type === 'm.room.member' && key === mallory),
  );
  const message = {
    ...template,
    type: 'm.room.message',
    content: { msgtype: 'm.text', body: 'from a new device' },
    auth_events: allowing.map(({ event_id: id }) => id),
  };
  const event = hashAndSignEvent(rules, message, peer.serverName, peer.key);
  const update = listUpdate({ device_id: 'B', keys: device('B') });
  const keysFor = (n: number) => ({ message_id: `${n}`, type: 'm.test', messages: { [alice.userId]: { '*': {} } } });
  const messages = Array.from({ length: 40 }, (_, n) => ({
    edu_type: 'm.direct_to_device',
    content: { sender: mallory, ...keysFor(n) },
  }));
  const sent = await sendTransaction(peer, { pdus: [event], edus: [...messages, update] });
  assert.ok(JSON.stringify(sent.body).endsWith(':{}}}'), JSON.stringify(sent.body));
  assert.deepEqual(seen(await query(alice)), ['A', 'B']);
  const file = new DatabaseSync(join(server.dataDir, 'portico.db'), { readOnly: true });
  const list = file.prepare('select position from device_lists where user_id = ?').get(mallory);
  const shown = file.prepare('select stream_position from events where event_id = ?').get(eventIdOf(rules, event));
  file.close();
  assert.ok(Number(list?.['position']) < Number(shown?.['stream_position']), JSON.stringify([list, shown]));
  assert.deepEqual(server.errors, []);
});
