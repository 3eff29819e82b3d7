import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { newAddress, outcomeOf, startServerWithMail } from '@portico/testkit/mail-person.ts';
import { createTestDatabase } from '@portico/testkit/postgres.ts';
import { createRegistrationTokens } from '@portico/server/services/accounts/registration-tokens.ts';
import { openDatabase } from '@portico/storage';
import type { TestServerOptions } from '@portico/testkit/server.ts';

const v3 = '/_matrix/client/v3';

function start(options: TestServerOptions) {
  return startServerWithMail(options).then((withMail) => {
    after(() => withMail.close());
    const { server } = withMail;
    const register = (username: string, auth?: object) =>
      server.anonymous.post(`${v3}/register`, { username, password: 'a password', ...(auth && { auth }) });
    const flowsOf = async () => {
      const { body } = await server.anonymous.post(`${v3}/register`, {});
      return (body['flows'] as { stages: string[] }[]).map(({ stages }) => stages.join(' '));
    };
    const addressesOf = (accessToken: unknown) =>
      withMail.addressesOf(server.as({ userId: '', deviceId: '', accessToken: String(accessToken) }));
    return { ...withMail, register, flowsOf, addressesOf };
  });
}

const newName = () => `new-${randomBytes(5).toString('hex')}`;
const email = (proof: object) => ({ type: 'm.login.email.identity', threepid_creds: proof });

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`registration with an email address (${engine})`, async () => {
    const { server, register, flowsOf, prove, ask, addressesOf } = await start({ engine });

    test('is offered beside that without', async () => {
      assert.deepEqual(await flowsOf(), ['m.login.dummy', 'm.login.email.identity']);
      assert.equal(outcomeOf(await register(newName(), { type: 'm.login.dummy' })), '200');
    });

    test('makes an account that has the address', async () => {
      const address = newAddress();
      const proof = await prove('register', address);
      const { status, body } = await register(newName(), email(proof));
      assert.equal(status, 200);
      assert.deepEqual(await addressesOf(body['access_token']), [address]);
      assert.equal(outcomeOf(await register(newName(), email(proof))), '401 M_THREEPID_AUTH_FAILED');
      assert.deepEqual(server.errors, []);
    });

    test('waits until the link has been followed, as clients that ask again and again see', async () => {
      const address = newAddress();
      const { proof } = await ask('register', address);
      const name = newName();
      const { session } = (await register(name)).body;
      const waiting = await register(name, { ...email(proof), session });
      assert.deepEqual([outcomeOf(waiting), waiting.body['session']], ['401 M_THREEPID_AUTH_FAILED', session]);
    });

    test('is not done with an address that somebody got in the meantime', async () => {
      const address = newAddress();
      const proofs = [await prove('register', address), await prove('register', address)];
      const results = await Promise.all(proofs.map((proof) => register(newName(), email(proof))));
      assert.equal(results.filter(({ status }) => status === 200).length, 1, results.map(outcomeOf).join());
      assert.deepEqual(server.errors, []);
    });
  });
}

test('where an address is required, nobody registers without one', async () => {
  const { register, flowsOf, prove } = await start({ settings: { REGISTRATION_REQUIRE_EMAIL: 'true' } });
  assert.deepEqual(await flowsOf(), ['m.login.email.identity']);
  const dummy = await register(newName(), { type: 'm.login.dummy' });
  assert.equal(dummy.status, 401);
  const { session } = dummy.body;
  assert.equal((await register(newName(), { type: 'm.login.dummy', session })).status, 401);
  const proof = await prove('register', newAddress());
  assert.equal(outcomeOf(await register(newName(), email(proof))), '200');
});

test('where it takes a registration token, an address is an addition that is remembered between the stages', async () => {
  const { server, register, flowsOf, prove, addressesOf } = await start({
    databaseUrl: await createTestDatabase(),
    settings: { REGISTRATION_MODE: 'token' },
  });
  assert.deepEqual(await flowsOf(), [
    'm.login.registration_token',
    'm.login.email.identity m.login.registration_token',
  ]);
  const db = await openDatabase({ url: server.databaseUrl });
  const token = await createRegistrationTokens({ db, now: Date.now, randomBytes }).add({ usesAllowed: 1 });
  await db.close();
  const address = newAddress();
  const name = newName();
  const proof = await prove('register', address);
  const first = await register(name, email(proof));
  assert.deepEqual([first.status, first.body['completed']], [401, ['m.login.email.identity']]);
  const { session } = first.body;
  const { status, body } = await register(name, { type: 'm.login.registration_token', token, session });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(await addressesOf(body['access_token']), [address]);
});

test('where registration is closed, no tokens for it are sent', async () => {
  const { requestToken, smtp } = await start({ settings: { REGISTRATION_MODE: 'closed' } });
  const request = { client_secret: 'x', email: newAddress(), send_attempt: 1 };
  assert.equal(outcomeOf(await requestToken('register', request)), '403 M_FORBIDDEN');
  assert.equal(smtp.received.length, 0);
});
