import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { must } from '@portico/testkit/people.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';

const path = '/_synapse/admin/v1/registration_tokens';
const validity = '/_matrix/client/v1/register/m.login.registration_token/validity?token=';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`registration tokens, for administrators (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let admin: TestClient;
    before(async () => {
      admin = await registerAdmin(server, 'admin');
    });
    const isValid = async (token: string) => (await must(server.anonymous.get(`${validity}${token}`)))['valid'];
    const list = async (query = '') =>
      ((await must(admin.get(`${path}${query}`)))['registration_tokens'] as { token: string }[]).map(
        ({ token }) => token,
      );

    test('are made, changed and revoked', async () => {
      const made = await must(admin.post(`${path}/new`, { token: 'welcome', uses_allowed: 3 }));
      const welcome = { token: 'welcome', uses_allowed: 3, pending: 0, completed: 0, expiry_time: null };
      assert.deepEqual(made, welcome);
      assert.deepEqual(await must(admin.get(`${path}/welcome`)), welcome);
      assert.equal(await isValid('welcome'), true);
      assert.deepEqual(await must(admin.put(`${path}/welcome`, { expiry_time: 1000 })), {
        ...welcome,
        expiry_time: 1000,
      });
      assert.equal(await isValid('welcome'), false);
      const endless = { ...welcome, uses_allowed: null };
      assert.deepEqual(await must(admin.put(`${path}/welcome`, { expiry_time: null, uses_allowed: null })), endless);
      assert.equal(await isValid('welcome'), true);
      assert.deepEqual(await must(admin.put(`${path}/welcome`, {})), endless);
      const random = await must(admin.post(`${path}/new`, { length: 40, expiry_time: 2000 }));
      assert.equal(String(random['token']).length, 40);
      assert.deepEqual(new Set(await list()), new Set(['welcome', random['token']]));
      assert.deepEqual(await list('?valid=true'), ['welcome']);
      assert.deepEqual(await list('?valid=false'), [random['token']]);
      assert.deepEqual(await must(admin.delete(`${path}/welcome`, {})), {});
      assert.equal(refusalOf(await admin.get(`${path}/welcome`)), '404 M_NOT_FOUND');
    });

    test('are refused where something is wrong with them', async () => {
      await must(admin.post(`${path}/new`, { token: 'taken' }));
      const tooLong = { expiry_time: 77_705_533_198_022_138_134_528 };
      const others = [{ token: 'a b' }, { length: 65 }, { length: 0 }, { uses_allowed: -1 }, tooLong];
      for (const body of [{ token: 'taken' }, ...others]) {
        assert.equal((await admin.post(`${path}/new`, body)).status, 400, JSON.stringify(body));
      }
      assert.equal(refusalOf(await admin.put(`${path}/nowhere`, {})), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await admin.delete(`${path}/nowhere`, {})), '404 M_NOT_FOUND');
    });

    test('are for administrators', async () => {
      const eve = await server.registerUser();
      for (const answer of [
        await eve.get(path),
        await eve.get(`${path}/taken`),
        await eve.post(`${path}/new`, {}),
        await eve.put(`${path}/taken`, {}),
        await eve.delete(`${path}/taken`, {}),
      ]) {
        assert.equal(refusalOf(answer), '403 M_FORBIDDEN');
      }
    });
  });
}
