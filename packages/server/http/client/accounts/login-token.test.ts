import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const auth = { type: 'm.login.password', password: 'a password' };
const outcome = ({ status, body }: TestResponse) => [status, body['errcode']];

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`login tokens (${engine})`, async () => {
    const clock = { at: 1_700_000_000_000 };
    const server = await startTestServer({ engine, now: () => clock.at });
    after(() => server.close());

    const ask = (person: TestClient, body: object) => person.post('/_matrix/client/v1/login/get_token', body);
    async function issue(person: TestClient): Promise<string> {
      const { status, body } = await ask(person, { auth });
      assert.deepEqual([status, body['expires_in_ms']], [200, 120_000]);
      return String(body['login_token']);
    }
    const redeem = (token: string) => server.anonymous.post(`${v3}/login`, { type: 'm.login.token', token });

    test('take the password each time, and log in once', async () => {
      const alice = await server.registerUser();
      const asked = await ask(alice, {});
      assert.deepEqual([asked.status, asked.body['flows']], [401, [{ stages: ['m.login.password'] }]]);
      const token = await issue(alice);
      const { status, body } = await redeem(token);
      assert.deepEqual([status, body['user_id']], [200, alice.userId]);
      assert.notEqual(body['device_id'], alice.deviceId);
      assert.deepEqual(outcome(await redeem(token)), [403, 'M_FORBIDDEN']);
      assert.equal((await ask(alice, {})).status, 401);
    });

    test('used by many at once log in one of them', async () => {
      const token = await issue(await server.registerUser());
      const statuses = (await Promise.all(Array.from({ length: 8 }, () => redeem(token)))).map(({ status }) => status);
      assert.deepEqual(
        statuses.toSorted((one, other) => one - other),
        [200, 403, 403, 403, 403, 403, 403, 403],
      );
    });

    test('end with a new password, and with logging out everywhere', async () => {
      const alice = await server.registerUser();
      const before = await issue(alice);
      const change = { new_password: 'another', logout_devices: false, auth };
      assert.equal((await alice.post(`${v3}/account/password`, change)).status, 200);
      assert.deepEqual(outcome(await redeem(before)), [403, 'M_FORBIDDEN']);
      const bob = await server.registerUser();
      const left = await issue(bob);
      assert.equal((await bob.post(`${v3}/logout/all`)).status, 200);
      assert.deepEqual(outcome(await redeem(left)), [403, 'M_FORBIDDEN']);
    });

    test('end after two minutes, and with the account', async () => {
      const alice = await server.registerUser();
      const late = await issue(alice);
      clock.at += 120_000;
      assert.deepEqual(outcome(await redeem(late)), [403, 'M_FORBIDDEN']);
      const left = await issue(alice);
      assert.equal((await alice.post(`${v3}/account/deactivate`, { auth })).status, 200);
      assert.deepEqual(outcome(await redeem(left)), [403, 'M_FORBIDDEN']);
      assert.deepEqual(outcome(await redeem('made up')), [403, 'M_FORBIDDEN']);
      const without = await server.anonymous.post(`${v3}/login`, { type: 'm.login.token' });
      assert.deepEqual(outcome(without), [400, 'M_MISSING_PARAM']);
    });
  });
}
