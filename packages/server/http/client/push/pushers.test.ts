import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const url = 'https://push.example/_matrix/push/v1/notify';
const phone = {
  kind: 'http',
  app_id: 'org.example.app',
  pushkey: 'a key',
  app_display_name: 'App',
  device_display_name: 'Phone',
  profile_tag: 'tag',
  lang: 'en',
  data: { url, format: 'event_id_only', extra: [1] },
};
const outcome = ({ status, body }: TestResponse): string =>
  status === 200 ? '200' : `${status} ${String(body['errcode'])}`;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`pushers (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(() => server.close());

    const set = (who: TestClient, change: object = {}) => who.post(`${v3}/pushers/set`, { ...phone, ...change });
    const list = async (who: TestClient) => (await who.get(`${v3}/pushers`)).body['pushers'] as { pushkey: string }[];
    const keys = async (who: TestClient) => (await list(who)).map(({ pushkey }) => pushkey);
    const login = async (who: TestClient, password = 'a password') => {
      const identifier = { type: 'm.id.user', user: who.userId };
      const { body } = await server.anonymous.post(`${v3}/login`, { type: 'm.login.password', identifier, password });
      const { access_token: accessToken, device_id: deviceId } = body as { access_token: string; device_id: string };
      return server.as({ userId: who.userId, accessToken, deviceId });
    };
    const auth = (who: TestClient, password = 'a password') => ({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: who.userId },
      password,
    });

    test('are set, changed, listed and deleted', async () => {
      const alice = await server.registerUser();
      assert.deepEqual(await list(alice), []);
      assert.equal(outcome(await set(alice)), '200');
      assert.equal(outcome(await set(alice, { pushkey: 'another', lang: 'de', profile_tag: undefined })), '200');
      const shown = { 'org.matrix.msc3881.enabled': true, 'org.matrix.msc3881.device_id': alice.deviceId };
      const { profile_tag: _tag, ...untagged } = phone;
      assert.deepEqual(await list(alice), [
        { ...phone, ...shown },
        { ...untagged, ...shown, pushkey: 'another', lang: 'de' },
      ]);
      await set(alice, { device_display_name: 'Phone 2', 'org.matrix.msc3881.enabled': false });
      const changed = (await list(alice)).find(({ pushkey }) => pushkey === phone.pushkey) as object;
      assert.deepEqual(changed, {
        ...phone,
        ...shown,
        device_display_name: 'Phone 2',
        'org.matrix.msc3881.enabled': false,
      });
      const { app_id, pushkey } = phone;
      assert.equal(outcome(await alice.post(`${v3}/pushers/set`, { kind: null, app_id, pushkey })), '200');
      assert.deepEqual(await keys(alice), ['another']);
      assert.equal(outcome(await alice.post(`${v3}/pushers/set`, { kind: null, app_id, pushkey })), '200');
    });

    test('a key that others had is taken from them, unless it is appended', async () => {
      const [alice, bob, carol] = [
        await server.registerUser(),
        await server.registerUser(),
        await server.registerUser(),
      ];
      await set(alice, { pushkey: 'shared' });
      await set(bob, { pushkey: 'shared', append: true });
      assert.deepEqual([await keys(alice), await keys(bob)], [['shared'], ['shared']]);
      await set(carol, { pushkey: 'shared' });
      assert.deepEqual([await keys(alice), await keys(bob), await keys(carol)], [[], [], ['shared']]);
    });

    test('what is missing or wrong is said', async () => {
      const alice = await server.registerUser();
      const refused: [object, string][] = [
        [{ kind: undefined }, 'M_MISSING_PARAM'],
        [{ app_id: undefined }, 'M_MISSING_PARAM'],
        [{ pushkey: undefined }, 'M_MISSING_PARAM'],
        [{ lang: undefined }, 'M_MISSING_PARAM'],
        [{ data: undefined }, 'M_MISSING_PARAM'],
        [{ app_display_name: undefined }, 'M_MISSING_PARAM'],
        [{ device_display_name: undefined }, 'M_MISSING_PARAM'],
        [{ data: { format: 'event_id_only' } }, 'M_MISSING_PARAM'],
        [{ kind: 'sms' }, 'M_INVALID_PARAM'],
        [{ app_id: 'a'.repeat(65) }, 'M_INVALID_PARAM'],
        [{ app_id: '' }, 'M_INVALID_PARAM'],
        [{ pushkey: 'ä'.repeat(257) }, 'M_INVALID_PARAM'],
        [{ profile_tag: 't'.repeat(33) }, 'M_INVALID_PARAM'],
        [{ data: { url, format: 'everything' } }, 'M_INVALID_PARAM'],
        [{ data: { url: 'http://push.example/_matrix/push/v1/notify' } }, 'M_INVALID_PARAM'],
        [{ data: { url: 'https://push.example/elsewhere' } }, 'M_INVALID_PARAM'],
        [{ data: { url: 'https://me:secret@push.example/_matrix/push/v1/notify' } }, 'M_INVALID_PARAM'],
        [{ data: { url: 'nonsense' } }, 'M_INVALID_PARAM'],
        [{ data: { url, more: 'x'.repeat(9000) } }, 'M_INVALID_PARAM'],
        [{ append: 'yes' }, 'M_BAD_JSON'],
        [{ data: [] }, 'M_BAD_JSON'],
        [{ kind: 7 }, 'M_BAD_JSON'],
      ];
      for (const [change, errcode] of refused) {
        assert.equal(outcome(await set(alice, change)), `400 ${errcode}`, JSON.stringify(change));
      }
      assert.deepEqual(await list(alice), []);
    });

    test('are no more than a hundred for each person', async () => {
      const alice = await server.registerUser();
      const made = await Promise.all(Array.from({ length: 100 }, (_, n) => set(alice, { pushkey: `key ${n}` })));
      assert.ok(made.every(({ status }) => status === 200));
      assert.equal(outcome(await set(alice, { pushkey: 'one more' })), '403 M_USER_LIMIT_EXCEEDED');
      assert.equal(outcome(await set(alice, { pushkey: 'key 7', lang: 'fr' })), '200');
      assert.equal((await keys(alice)).length, 100);
    });

    test('go with the device that set them: on logout, deletion, a new password and deactivation', async () => {
      const alice = await server.registerUser();
      const [second, third, fourth] = [await login(alice), await login(alice), await login(alice)];
      for (const [index, device] of [alice, second, third, fourth].entries()) {
        await set(device, { pushkey: `device ${index}` });
      }
      await second.post(`${v3}/logout`, {});
      assert.deepEqual(await keys(alice), ['device 0', 'device 2', 'device 3']);
      await alice.delete(`${v3}/devices/${third.deviceId}`, { auth: auth(alice) });
      assert.deepEqual(await keys(alice), ['device 0', 'device 3']);
      const change = { new_password: 'a new password', auth: auth(alice) };
      assert.equal(outcome(await alice.post(`${v3}/account/password`, change)), '200');
      assert.deepEqual(await keys(alice), ['device 0']);

      const bob = await server.registerUser();
      await set(bob, { pushkey: 'device 0', append: true });
      await alice.post(`${v3}/account/deactivate`, { auth: auth(alice, 'a new password') });
      assert.deepEqual(await keys(bob), ['device 0']);
    });
  });
}
