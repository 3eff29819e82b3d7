import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createRegistrationTokens } from '@portico/server/services/accounts/registration-tokens.ts';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import { openDatabase } from '@portico/storage';
import { createTestDatabase } from '@portico/testkit/postgres.ts';

const path = '/_matrix/client/v3/register';
const type = 'm.login.registration_token';
const settings = { REGISTRATION_MODE: 'token' };

function registerOn(server: TestServer, username: string, auth?: object) {
  return server.anonymous.post(path, { username, password: 'x', ...(auth && { auth }) });
}

test('registration by token: two processes share sessions, and a token is good for as often as it says', async (t) => {
  const databaseUrl = await createTestDatabase();
  const start = async () => {
    const server = await startTestServer({ databaseUrl, settings });
    t.after(() => server.close());
    return server;
  };
  const [one, two] = await Promise.all([start(), start()]);
  const db = await openDatabase({ url: databaseUrl, durability: 'relaxed' });
  t.after(() => db.close());
  const tokens = createRegistrationTokens({ db, now: Date.now, randomBytes });
  await tokens.add({ token: 'twice', usesAllowed: 2 });
  await tokens.add({ token: 'over', expiresAt: Date.now() - 1 });

  const validity = async (token: string) =>
    (await one.anonymous.get(`/_matrix/client/v1/register/${type}/validity?token=${token}`)).body['valid'];
  assert.deepEqual([await validity('twice'), await validity('over'), await validity('none')], [true, false, false]);

  const { status, body } = await registerOn(one, 'a');
  assert.deepEqual([status, body['flows']], [401, [{ stages: [type] }]]);
  const session = body['session'];
  const wrong = await registerOn(two, 'a', { type, token: 'over', session });
  assert.deepEqual([wrong.status, wrong.body['errcode'], wrong.body['session']], [401, 'M_FORBIDDEN', session]);
  const dummy = await registerOn(two, 'a', { type: 'm.login.dummy', session });
  assert.deepEqual([dummy.status, dummy.body['errcode']], [401, 'M_UNRECOGNIZED']);
  assert.equal((await registerOn(two, 'a', { type, token: 'twice', session })).status, 200);

  const names = ['b', 'c', 'd', 'e'];
  const race = await Promise.all(
    names.map((name, at) => registerOn(at % 2 === 0 ? one : two, name, { type, token: 'twice' })),
  );
  assert.equal(race.filter((response) => response.status === 200).length, 1);
  assert.equal(await validity('twice'), false);
  await tokens.revoke('twice');
  await assert.rejects(tokens.revoke('twice'), { guard: 'not-found' });
  assert.deepEqual(
    (await tokens.list()).map(({ token }) => token),
    ['over'],
  );
});
