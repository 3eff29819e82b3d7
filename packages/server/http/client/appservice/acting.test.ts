import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { actingAs, startTestBridge } from '@portico/testkit/bridge.ts';
import { startBridgedServer } from '@portico/testkit/bridged-server.ts';
import type { TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const whoami = `${v3}/account/whoami`;
const ghost = (name: string) => `@_ghost_${name}:localhost`;
const refusal = ({ status, body }: TestResponse) => [status, body['errcode']];

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`an application service (${engine})`, async () => {
    const bridge = await startTestBridge();
    const other = await startTestBridge({
      id: 'other',
      sender_localpart: 'other',
      rate_limited: false,
      namespaces: { users: [{ exclusive: false, regex: '@shared' }] },
    });
    const { server, as } = await startBridgedServer({ after }, [bridge, other], {
      engine,
      settings: { REGISTRATION_MODE: 'open' },
    });
    const asOther = server.as({ userId: '@other:localhost', accessToken: other.asToken, deviceId: '' });
    const register = (username: string, more: object = {}, client = as) =>
      client.post(`${v3}/register`, { type: 'm.login.application_service', username, ...more });
    const logIn = (body: object, client = as) => client.post(`${v3}/login`, body);
    const type = 'm.login.application_service';
    const byId = (user: string) => ({ type, identifier: { type: 'm.id.user', user } });

    test('is its own user from the start, on no device', async () => {
      assert.deepEqual((await as.get(whoami)).body, { user_id: '@_bot:localhost', is_guest: false });
      assert.deepEqual(refusal(await register('_bot')), [400, 'M_USER_IN_USE']);
    });

    test('makes users in its namespace, logged in or not', async () => {
      const plain = await register('_ghost_plain');
      assert.equal(plain.status, 200);
      assert.equal(plain.body['user_id'], ghost('plain'));
      assert.equal(typeof plain.body['access_token'], 'string');
      const quiet = await register('_ghost_Quiet', { inhibit_login: true });
      assert.deepEqual(quiet.body, { user_id: ghost('Quiet'), home_server: 'localhost' });
      assert.deepEqual(refusal(await register('_ghost_plain')), [400, 'M_USER_IN_USE']);
      assert.deepEqual(refusal(await register('somebody')), [400, 'M_EXCLUSIVE']);
      assert.deepEqual(refusal(await register('_ghost_:x')), [400, 'M_INVALID_USERNAME']);
      assert.deepEqual(refusal(await as.post(`${v3}/register`, { type })), [400, 'M_MISSING_PARAM']);
      assert.deepEqual(refusal(await register('_ghost_x', {}, server.anonymous)), [401, 'M_MISSING_TOKEN']);
      const alice = await server.registerUser();
      assert.deepEqual(refusal(await register('_ghost_x', {}, alice)), [401, 'M_UNKNOWN_TOKEN']);
    });

    test('and its users are called by their user names until it calls them otherwise', async () => {
      const profileOf = async (userId: string) => (await server.anonymous.get(`${v3}/profile/${userId}`)).body;
      assert.deepEqual(await profileOf('@_bot:localhost'), { displayname: '_bot' });
      await register('_ghost_Called', { inhibit_login: true });
      assert.deepEqual(await profileOf(ghost('Called')), { displayname: '_ghost_Called' });
      const field = actingAs(`${v3}/profile/${ghost('Called')}/displayname`, ghost('Called'));
      assert.equal((await as.put(field, { displayname: 'Mia (IRC)' })).status, 200);
      assert.deepEqual(await profileOf(ghost('Called')), { displayname: 'Mia (IRC)' });
    });

    test('has its namespace for itself where it is exclusive', async () => {
      const auth = { type: 'm.login.dummy' };
      const take = (username: string) => server.anonymous.post(`${v3}/register`, { username, password: 'x', auth });
      assert.deepEqual(refusal(await take('_ghost_mine')), [400, 'M_EXCLUSIVE']);
      assert.deepEqual(refusal(await take('_bot')), [400, 'M_EXCLUSIVE']);
      const available = `${v3}/register/available?username=_ghost_mine`;
      assert.deepEqual(refusal(await server.anonymous.get(available)), [400, 'M_EXCLUSIVE']);
      assert.deepEqual(refusal(await register('_ghost_mine', {}, asOther)), [400, 'M_EXCLUSIVE']);
      assert.equal((await take('shared_by_all')).status, 200);
    });

    test('acts as the users of its namespace that exist, and nobody else', async () => {
      await register('_ghost_acting', { inhibit_login: true });
      const { body } = await as.get(actingAs(whoami, ghost('acting')));
      assert.deepEqual(body, { user_id: ghost('acting'), is_guest: false });
      const alice = await server.registerUser();
      assert.deepEqual(refusal(await as.get(actingAs(whoami, alice.userId))), [403, 'M_FORBIDDEN']);
      assert.deepEqual(refusal(await as.get(actingAs(whoami, ghost('nobody')))), [403, 'M_FORBIDDEN']);
      assert.deepEqual(refusal(await as.get(actingAs(whoami, '@_ghost_x:elsewhere'))), [403, 'M_FORBIDDEN']);
      const lured = await alice.get(actingAs(whoami, ghost('acting')));
      assert.equal(lured.body['user_id'], alice.userId);
    });

    test('acts on a device, by the stable and the unstable name, if the user has it', async () => {
      await register('_ghost_device', { device_id: 'PHONE' });
      const { body } = await as.get(actingAs(whoami, ghost('device'), 'PHONE'));
      assert.equal(body['device_id'], 'PHONE');
      const unstable = `${actingAs(whoami, ghost('device'))}&org.matrix.msc3202.device_id=PHONE`;
      assert.equal((await as.get(unstable)).body['device_id'], 'PHONE');
      assert.deepEqual(refusal(await as.get(actingAs(whoami, ghost('device'), 'NONE'))), [400, 'M_UNKNOWN_DEVICE']);
      assert.deepEqual(refusal(await as.get(`${whoami}?device_id=PHONE`)), [400, 'M_UNKNOWN_DEVICE']);
    });

    test('replaces cross-signing keys without a password', async () => {
      await register('_ghost_signing', { inhibit_login: true });
      const path = actingAs(`${v3}/keys/device_signing/upload`, ghost('signing'));
      const masterKey = () => {
        const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
        const key = Buffer.from(x, 'base64url').toString('base64').replace(/=+$/, '');
        return { user_id: ghost('signing'), usage: ['master'], keys: { [`ed25519:${key}`]: key } };
      };
      assert.equal((await as.post(path, { master_key: masterKey() })).status, 200);
      const next = masterKey();
      assert.equal((await as.post(path, { master_key: next })).status, 200);
      const query = { device_keys: { [ghost('signing')]: [] } };
      const { master_keys: found } = (await as.post(`${v3}/keys/query`, query)).body as {
        master_keys: { [user: string]: { keys: object } };
      };
      assert.deepEqual(found[ghost('signing')]?.keys, next.keys);
    });

    test('makes devices and deletes them without a password', async () => {
      await register('_ghost_crypto', { inhibit_login: true });
      const path = actingAs(`${v3}/devices/D1`, ghost('crypto'));
      assert.equal((await as.put(path, { display_name: 'Mine' })).status, 201);
      assert.equal((await as.put(path, { display_name: 'Still mine' })).status, 200);
      assert.equal((await as.get(path)).body['display_name'], 'Still mine');
      assert.equal((await as.put(actingAs(`${v3}/devices/D2`, ghost('crypto')), {})).status, 201);
      assert.equal((await as.get(actingAs(whoami, ghost('crypto'), 'D1'))).status, 200);
      assert.equal((await as.delete(path)).status, 200);
      assert.deepEqual(refusal(await as.get(actingAs(whoami, ghost('crypto'), 'D1'))), [400, 'M_UNKNOWN_DEVICE']);
      const many = actingAs(`${v3}/delete_devices`, ghost('crypto'));
      assert.equal((await as.post(many, { devices: ['D2'] })).status, 200);
      const alice = await server.registerUser();
      assert.deepEqual(refusal(await alice.put(`${v3}/devices/NEW`, {})), [404, 'M_NOT_FOUND']);
      const upload = actingAs(`${v3}/keys/upload`, ghost('crypto'));
      assert.deepEqual(refusal(await as.post(upload, { one_time_keys: {} })), [400, 'M_UNKNOWN']);
    });

    test('logs in as its users, by either name of the type', async () => {
      await register('_ghost_login', { inhibit_login: true });
      for (const name of [type, 'uk.half-shot.msc2778.login.application_service']) {
        for (const user of ['_ghost_login', ghost('login')]) {
          const { status, body } = await logIn({ ...byId(user), type: name, device_id: 'D' });
          assert.deepEqual([status, body['user_id'], body['device_id']], [200, ghost('login'), 'D']);
          const client = server.as({
            userId: ghost('login'),
            accessToken: String(body['access_token']),
            deviceId: 'D',
          });
          assert.equal((await client.get(whoami)).body['user_id'], ghost('login'));
        }
      }
    });

    test('is refused a login as the proposal says', async () => {
      const alice = await server.registerUser();
      await register('_ghost_refused', { inhibit_login: true });
      const wanted = byId('_ghost_refused');
      assert.deepEqual(refusal(await logIn(wanted, server.anonymous)), [403, 'M_FORBIDDEN']);
      assert.deepEqual(refusal(await logIn(wanted, alice)), [403, 'M_FORBIDDEN']);
      assert.deepEqual(refusal(await logIn(byId('_ghost_unregistered'))), [403, 'M_FORBIDDEN']);
      assert.deepEqual(refusal(await logIn(byId(alice.userId))), [403, 'M_EXCLUSIVE']);
      assert.deepEqual(refusal(await logIn(wanted, asOther)), [403, 'M_EXCLUSIVE']);
      assert.deepEqual(refusal(await logIn({ type, user: '_ghost_refused' })), [400, 'M_MISSING_PARAM']);
      const byEmail = { type, identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'a@b.c' } };
      assert.deepEqual(refusal(await logIn(byEmail)), [400, 'M_UNKNOWN']);
      const password = { type: 'm.login.password', identifier: { type: 'm.id.user', user: alice.userId } };
      assert.equal((await logIn({ ...password, password: 'a password' })).status, 200);
      await as.post(actingAs(`${v3}/account/deactivate`, ghost('refused')), {});
      assert.deepEqual(refusal(await logIn(wanted)), [403, 'M_USER_DEACTIVATED']);
      assert.deepEqual(refusal(await as.get(actingAs(whoami, ghost('refused')))), [403, 'M_USER_DEACTIVATED']);
    });

    test('says when something happened, which nobody else can', async () => {
      const { body: made } = await as.post(`${v3}/createRoom`, { preset: 'public_chat' });
      const room = `${v3}/rooms/${encodeURIComponent(String(made['room_id']))}`;
      const alice = await server.registerUser();
      await alice.post(`${room}/join`, {});
      const at = async (path: string, client = as) => {
        const { body } = await client.put(path, { body: 'x', msgtype: 'm.text', topic: 'x' });
        return (await client.get(`${room}/event/${encodeURIComponent(String(body['event_id']))}`)).body[
          'origin_server_ts'
        ];
      };
      assert.equal(await at(`${room}/send/m.room.message/1?ts=1234`), 1234);
      assert.equal(await at(`${room}/state/m.room.topic?ts=2345`), 2345);
      assert.equal(await at(`${room}/state/org.example/key?ts=3456`), 3456);
      assert.notEqual(await at(`${room}/send/m.room.message/2?ts=1234`, alice), 1234);
      const wrong = await as.put(`${room}/send/m.room.message/3?ts=-1`, {});
      assert.deepEqual(refusal(wrong), [400, 'M_INVALID_PARAM']);
    });

    test('has the aliases of its namespace', async () => {
      const alice = await server.registerUser();
      const { body } = await alice.post(`${v3}/createRoom`, { preset: 'public_chat' });
      const alias = (name: string) => `${v3}/directory/room/${encodeURIComponent(`#${name}:localhost`)}`;
      const content = { room_id: body['room_id'] };
      assert.deepEqual(refusal(await alice.put(alias('_portal_a'), content)), [400, 'M_EXCLUSIVE']);
      const named = { room_alias_name: '_portal_b' };
      assert.deepEqual(refusal(await alice.post(`${v3}/createRoom`, named)), [400, 'M_EXCLUSIVE']);
      assert.equal((await as.post(`${v3}/createRoom`, named)).status, 200);
      assert.deepEqual(refusal(await alice.delete(alias('_portal_b'))), [400, 'M_EXCLUSIVE']);
      assert.deepEqual(refusal(await as.put(alias('outside'), content)), [400, 'M_EXCLUSIVE']);
      // Bridges name rooms before they join them.
      assert.equal((await as.put(alias('_portal_a'), content)).status, 200);
      await register('_ghost_alias', { inhibit_login: true });
      assert.equal((await as.delete(actingAs(alias('_portal_a'), ghost('alias')))).status, 200);
    });

    test('repeats a message under its transaction ID without a device', async () => {
      const { body } = await as.post(`${v3}/createRoom`, { preset: 'public_chat' });
      const path = `${v3}/rooms/${encodeURIComponent(String(body['room_id']))}/send/m.room.message/once`;
      const [first, again] = [await as.put(path, { body: 'a' }), await as.put(path, { body: 'a' })];
      assert.equal(first.body['event_id'], again.body['event_id']);
      const { body: synced } = await as.get(`${v3}/sync`);
      assert.equal(typeof synced['next_batch'], 'string');
    });
  });
}

test('requests of a service are limited or not as its registration says, its own never', async (t) => {
  const bridge = await startTestBridge();
  const free = await startTestBridge({
    id: 'free',
    sender_localpart: 'free',
    rate_limited: false,
    namespaces: { users: [{ exclusive: true, regex: '@free_' }] },
  });
  const { server } = await startBridgedServer(t, [bridge, free], { settings: { RATE_LIMITS_ENABLED: 'true' } });
  const bot = server.as({ userId: '', accessToken: bridge.asToken, deviceId: '' });
  const freeBot = server.as({ userId: '', accessToken: free.asToken, deviceId: '' });
  for (let n = 0; n < 20; n++) {
    const { status } = await bot.post(`${v3}/register`, {
      type: 'm.login.application_service',
      username: `_ghost_${n}`,
    });
    assert.equal(status, 200);
  }
  await freeBot.post(`${v3}/register`, { type: 'm.login.application_service', username: 'free_1' });
  const knocks = async (client: typeof bot, path: string) => {
    for (let n = 0; n < 40; n++) {
      const { body } = await client.post(path, {});
      if (body['errcode'] === 'M_LIMIT_EXCEEDED') return 'limited';
    }
    return 'not limited';
  };
  const knock = `${v3}/knock/${encodeURIComponent('#none:localhost')}`;
  assert.equal(await knocks(bot, knock), 'not limited');
  assert.equal(await knocks(bot, actingAs(knock, '@_ghost_1:localhost')), 'limited');
  assert.equal(await knocks(freeBot, actingAs(knock, '@free_1:localhost')), 'not limited');
});

test('what a service may do as somebody whom another one acts as, too, is no more than before', async (t) => {
  const users = [{ exclusive: false, regex: '@shared' }];
  const owner = await startTestBridge({ namespaces: { users, aliases: [{ exclusive: true, regex: '#owned' }] } });
  const other = await startTestBridge({ id: 'other', sender_localpart: 'other', namespaces: { users } });
  const { server, as } = await startBridgedServer(t, [owner, other]);
  const asOther = server.as({ userId: '@other:localhost', accessToken: other.asToken, deviceId: '' });
  const shared = '@shared:localhost';
  await as.post(`${v3}/register`, { type: 'm.login.application_service', username: 'shared', inhibit_login: true });
  const { body } = await as.post(actingAs(`${v3}/createRoom`, shared), {});
  const content = { room_id: body['room_id'] };
  const alias = (name: string) => actingAs(`${v3}/directory/room/${encodeURIComponent(`#${name}:localhost`)}`, shared);
  assert.equal((await as.put(alias('owned_a'), content)).status, 200);
  assert.deepEqual(refusal(await asOther.put(alias('owned_b'), content)), [400, 'M_EXCLUSIVE']);
  assert.equal((await as.put(alias('owned_b'), content)).status, 200);
});
