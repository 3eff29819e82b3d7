import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestBridge } from '@portico/testkit/bridge.ts';
import { startBridgedServer } from '@portico/testkit/bridged-server.ts';
import type { TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const refusal = ({ status, body }: TestResponse) => [status, body['errcode']];
const irc = {
  user_fields: ['network', 'nickname'],
  location_fields: ['network', 'channel'],
  icon: 'mxc://localhost/icon',
  field_types: {},
  instances: [{ network_id: 'libera', desc: 'Libera', fields: { network: 'libera' } }],
};

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`what application services are asked (${engine})`, async () => {
    const bridge = await startTestBridge({ id: 'irc', protocols: ['irc'] });
    const silent = await startTestBridge({ id: 'silent', sender_localpart: 'silent', url: null, namespaces: {} });
    const { server, as } = await startBridgedServer({ after }, [bridge, silent], { engine });
    const alice = await server.registerUser();
    const asked = (path: string) => bridge.requests.filter((request) => request.path === path);

    test('whether they can be reached', async () => {
      const ping = (id: string, client = as) =>
        client.post(`/_matrix/client/v1/appservice/${id}/ping`, { transaction_id: 'mine' });
      const { status, body } = await ping('irc');
      assert.equal(status, 200);
      assert.equal(typeof body['duration_ms'], 'number');
      assert.deepEqual(asked('/_matrix/app/v1/ping').at(-1)?.body, { transaction_id: 'mine' });
      const unstable = '/_matrix/client/unstable/fi.mau.msc2659/appservice/irc/ping';
      assert.equal((await as.post(unstable, {})).status, 200);
      assert.deepEqual(refusal(await ping('silent')), [403, 'M_FORBIDDEN']);
      assert.deepEqual(refusal(await ping('irc', alice)), [403, 'M_FORBIDDEN']);
      assert.deepEqual(refusal(await ping('irc', server.anonymous)), [401, 'M_MISSING_TOKEN']);
      const unknown = server.as({ userId: '', accessToken: 'nobodys', deviceId: '' });
      assert.deepEqual(refusal(await ping('irc', unknown)), [401, 'M_UNKNOWN_TOKEN']);
      const other = server.as({ userId: '', accessToken: silent.asToken, deviceId: '' });
      assert.deepEqual(refusal(await ping('silent', other)), [400, 'M_URL_NOT_SET']);
      bridge.answerWith(() => ({ status: 418, body: { tea: true } }));
      const wrong = await ping('irc');
      assert.deepEqual(refusal(wrong), [502, 'M_BAD_STATUS']);
      assert.deepEqual([wrong.body['status'], wrong.body['body']], [418, '{"tea":true}']);
      bridge.answerWith(undefined);
      await bridge.down();
      assert.deepEqual(refusal(await ping('irc')), [502, 'M_CONNECTION_FAILED']);
      await bridge.up();
    });

    test('to make a user who is invited, once, and nobody else', async () => {
      const { body } = await alice.post(`${v3}/createRoom`, {});
      const invite = (userId: string) =>
        alice.post(`${v3}/rooms/${encodeURIComponent(String(body['room_id']))}/invite`, { user_id: userId });
      bridge.answerWith(async ({ path }) => {
        if (!path.startsWith('/_matrix/app/v1/users/')) return undefined;
        const username = /@([^:]*)/.exec(path)?.[1];
        await as.post(`${v3}/register`, { type: 'm.login.application_service', username });
        const profile = `${v3}/profile/@${username}:localhost/displayname?user_id=@${username}:localhost`;
        await as.put(profile, { displayname: 'A ghost' });
        return { status: 200 };
      });
      assert.equal((await invite('@_ghost_new:localhost')).status, 200);
      assert.equal((await invite('@somebody:localhost')).status, 200);
      await alice.post(`${v3}/createRoom`, { invite: ['@_ghost_new:localhost'] });
      bridge.answerWith(undefined);
      const state = `${v3}/rooms/${encodeURIComponent(String(body['room_id']))}/state/m.room.member/@_ghost_new:localhost`;
      assert.equal((await alice.get(state)).body['displayname'], 'A ghost');
      assert.equal(asked('/_matrix/app/v1/users/@_ghost_new:localhost').length, 1);
      assert.equal(asked('/_matrix/app/v1/users/@somebody:localhost').length, 0);
    });

    test('to make a room whose alias somebody looks for', async () => {
      bridge.answerWith(async ({ path }) => {
        if (!path.startsWith('/_matrix/app/v1/rooms/#_portal_wanted')) return undefined;
        await as.post(`${v3}/createRoom`, { preset: 'public_chat', room_alias_name: '_portal_wanted' });
        return { status: 200 };
      });
      const alias = encodeURIComponent('#_portal_wanted:localhost');
      assert.equal((await alice.post(`${v3}/join/${alias}`, {})).status, 200);
      bridge.answerWith(undefined);
      assert.equal((await alice.get(`${v3}/directory/room/${alias}`)).status, 200);
      assert.equal(asked('/_matrix/app/v1/rooms/#_portal_wanted:localhost').length, 1);
      const unknown = encodeURIComponent('#_portal_unknown:localhost');
      assert.deepEqual(refusal(await alice.get(`${v3}/directory/room/${unknown}`)), [404, 'M_NOT_FOUND']);
      await bridge.down();
      assert.deepEqual(refusal(await alice.get(`${v3}/directory/room/${unknown}`)), [408, 'M_UNKNOWN']);
      await bridge.up();
    });

    test('what their networks are like, and who and what is in them', async () => {
      const user = { userid: '@_ghost_a:localhost', protocol: 'irc', fields: { nickname: 'a' } };
      const location = { alias: '#_portal_a:localhost', protocol: 'irc', fields: { channel: '#a' } };
      bridge.answerWith(({ path, query }) => {
        if (path === '/_matrix/app/v1/thirdparty/protocol/irc') return { status: 200, body: irc };
        if (path === '/_matrix/app/v1/thirdparty/user/irc') {
          return { status: 200, body: query.get('nickname') === 'a' && !query.has('user_id') ? [user] : [] };
        }
        if (path === '/_matrix/app/v1/thirdparty/location/irc') return { status: 200, body: [location] };
        if (path === '/_matrix/app/v1/thirdparty/user') return { status: 200, body: [user] };
        if (path === '/_matrix/app/v1/thirdparty/location') {
          return { status: 200, body: query.get('alias') === location.alias ? [location] : [] };
        }
        return undefined;
      });
      const expected = { ...irc, instances: [{ ...irc.instances[0], instance_id: 'irc|libera' }] };
      assert.deepEqual((await alice.get(`${v3}/thirdparty/protocols`)).body, { irc: expected });
      assert.deepEqual((await alice.get(`${v3}/thirdparty/protocol/irc`)).body, expected);
      assert.equal(asked('/_matrix/app/v1/thirdparty/protocol/irc').length, 1);
      assert.deepEqual(refusal(await alice.get(`${v3}/thirdparty/protocol/none`)), [404, 'M_NOT_FOUND']);
      assert.deepEqual((await alice.get(`${v3}/thirdparty/user/irc?nickname=a&user_id=x`)).body, [user]);
      assert.deepEqual((await alice.get(`${v3}/thirdparty/user/irc?nickname=b`)).body, []);
      assert.deepEqual((await alice.get(`${v3}/thirdparty/location/irc?channel=%23a`)).body, [location]);
      assert.deepEqual((await alice.get(`${v3}/thirdparty/user?userid=@_ghost_a:localhost`)).body, [user]);
      const place = await alice.get(`${v3}/thirdparty/location?alias=${encodeURIComponent(location.alias)}`);
      assert.deepEqual(place.body, [location]);
      const none = await alice.get(`${v3}/thirdparty/location?alias=%23x:localhost`);
      assert.deepEqual(refusal(none), [404, 'M_NOT_FOUND']);
      assert.deepEqual(refusal(await alice.get(`${v3}/thirdparty/user/none`)), [404, 'M_NOT_FOUND']);
      bridge.answerWith(undefined);
    });

    test('networks have directories of their own, which their services keep', async () => {
      const room = async (name: string) =>
        String((await alice.post(`${v3}/createRoom`, { name, preset: 'public_chat' })).body['room_id']);
      const [listed, other] = [await room('on libera'), await room('in the directory')];
      await alice.put(`${v3}/directory/list/room/${encodeURIComponent(other)}`, { visibility: 'public' });
      const list = (visibility: string, client = as) =>
        client.put(`${v3}/directory/list/appservice/libera/${encodeURIComponent(listed)}`, { visibility });
      const found = async (query: object) => {
        const { chunk } = (await alice.post(`${v3}/publicRooms`, query)).body as { chunk: { room_id: string }[] };
        return chunk.map(({ room_id: roomId }) => roomId).filter((roomId) => [listed, other].includes(roomId));
      };
      const libera = { third_party_instance_id: 'irc|libera' };
      assert.deepEqual(await found(libera), []);
      assert.deepEqual((await list('public')).body, {});
      assert.deepEqual(await found(libera), [listed]);
      assert.deepEqual(await found({ third_party_instance_id: 'irc|other' }), []);
      assert.deepEqual(await found({ third_party_instance_id: 'unknown|libera' }), []);
      assert.deepEqual(await found({}), [other]);
      assert.deepEqual((await found({ include_all_networks: true })).toSorted(), [listed, other].toSorted());
      assert.deepEqual(refusal(await list('public', alice)), [403, 'M_FORBIDDEN']);
      assert.deepEqual(refusal(await list('visible')), [400, 'M_BAD_JSON']);
      await list('private');
      assert.deepEqual(await found(libera), []);
      await list('public');
      const entry = `${v3}/directory/list/appservice/libera/${encodeURIComponent(listed)}`;
      assert.deepEqual(refusal(await alice.delete(entry)), [403, 'M_FORBIDDEN']);
      assert.deepEqual((await as.delete(entry)).body, {});
      assert.deepEqual(await found(libera), []);
    });
  });
}
