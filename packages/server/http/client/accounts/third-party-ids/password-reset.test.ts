import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { linkIn, openPage } from '@portico/testkit/mail-links.ts';
import { newAddress, newSecret, outcomeOf, startServerWithMail } from '@portico/testkit/mail-person.ts';
import { startTestServer } from '@portico/testkit/server.ts';

const v3 = '/_matrix/client/v3';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`a forgotten password (${engine})`, async () => {
    let ahead = 0;
    const withMail = await startServerWithMail({ engine, now: () => Date.now() + ahead });
    const { server, ask, prove, addTo } = withMail;
    after(() => withMail.close());

    const reset = (proof: object, over: object = {}) => {
      const auth = { type: 'm.login.email.identity', threepid_creds: proof };
      return server.anonymous.post(`${v3}/account/password`, { new_password: 'new', auth, ...over });
    };
    const login = async (user: string, password: string) =>
      outcomeOf(await server.anonymous.post(`${v3}/login`, { type: 'm.login.password', user, password }));

    async function personWith(email: string) {
      const person = await server.registerUser();
      await addTo(person, email);
      return person;
    }

    test('is replaced by whoever reads the mail of an address of the account, and all sessions end', async () => {
      const email = newAddress();
      const alice = await personWith(email);
      const own = { type: 'm.login.password', password: 'a password' };
      const issued = await alice.post('/_matrix/client/v1/login/get_token', { auth: own });
      const asked = await server.anonymous.post(`${v3}/account/password`, { new_password: 'new' });
      assert.deepEqual([asked.status, asked.body['flows']], [401, [{ stages: ['m.login.email.identity'] }]]);
      const { proof, mail } = await ask('account/password', email);
      assert.ok(mail.text.includes(alice.userId));
      const { session } = asked.body as { session: string };
      const auth = { type: 'm.login.email.identity', threepid_creds: proof, session };
      assert.equal(outcomeOf(await reset(proof, { auth })), '401 M_THREEPID_AUTH_FAILED');
      const { html, status } = await openPage(server, linkIn(mail));
      assert.equal(status, 200);
      assert.match(html, /<form method="post">/);
      assert.equal(outcomeOf(await reset(proof, { auth })), '401 M_THREEPID_AUTH_FAILED', 'a link alone does nothing');
      assert.match((await openPage(server, linkIn(mail), 'POST')).html, /is confirmed/);
      const wrong = { ...proof, client_secret: newSecret() };
      assert.equal(outcomeOf(await reset(wrong)), '401 M_THREEPID_AUTH_FAILED');
      assert.equal(outcomeOf(await reset(proof, { auth })), '200');
      assert.equal(await login(alice.userId, 'new'), '200');
      assert.equal(await login(alice.userId, 'a password'), '403 M_FORBIDDEN');
      assert.equal(outcomeOf(await alice.get(`${v3}/account/whoami`)), '401 M_UNKNOWN_TOKEN');
      const { login_token: token } = issued.body;
      const byToken = await server.anonymous.post(`${v3}/login`, { type: 'm.login.token', token });
      assert.equal(outcomeOf(byToken), '403 M_FORBIDDEN');
      assert.equal(outcomeOf(await reset(proof)), '401 M_THREEPID_AUTH_FAILED', 'once only');
      assert.deepEqual(server.errors, []);
    });

    test('leaves sessions alone where that is wished', async () => {
      const email = newAddress();
      const alice = await personWith(email);
      const proof = await prove('account/password', email);
      assert.equal(outcomeOf(await reset(proof, { logout_devices: false })), '200');
      assert.equal(outcomeOf(await alice.get(`${v3}/account/whoami`)), '200');
      assert.equal(await login(alice.userId, 'new'), '200');
    });

    test('is replaced once, by whichever of several requests comes first', async () => {
      const email = newAddress();
      const alice = await personWith(email);
      const [proof, other] = [await prove('account/password', email), await prove('account/password', email)];
      const results = await Promise.all([
        reset(proof, { new_password: 'one' }),
        reset(proof, { new_password: 'two' }),
        reset(other, { new_password: 'three' }),
      ]);
      assert.equal(results.filter(({ status }) => status === 200).length, 1, JSON.stringify(results.map(outcomeOf)));
      const logins = [];
      for (const password of ['one', 'two', 'three']) logins.push(await login(alice.userId, password));
      assert.equal(logins.filter((result) => result === '200').length, 1);
      assert.deepEqual(server.errors, []);
    });

    test('is not replaced by a link that is older than an hour, nor a proof that is', async () => {
      const email = newAddress();
      await personWith(email);
      const { mail } = await ask('account/password', email);
      const proof = await prove('account/password', email);
      ahead += 3_600_000 + 1000;
      assert.equal((await openPage(server, linkIn(mail), 'POST')).status, 400);
      assert.equal(outcomeOf(await reset(proof)), '401 M_THREEPID_AUTH_FAILED');
    });

    test('is not replaced by way of an address that the account has no more', async () => {
      const email = newAddress();
      const alice = await personWith(email);
      const proof = await prove('account/password', email);
      await alice.post(`${v3}/account/3pid/delete`, { medium: 'email', address: email });
      assert.equal(outcomeOf(await reset(proof)), '403 M_THREEPID_AUTH_FAILED');
      assert.equal(await login(alice.userId, 'a password'), '200');
    });

    test('tells nobody whether there is an account: whoever has the address is told by email', async () => {
      const email = newAddress();
      const { proof, mail } = await ask('account/password', email);
      assert.match(mail.text, /belongs to no account/);
      assert.doesNotMatch(mail.text, /submit_token/);
      assert.equal(outcomeOf(await reset(proof)), '401 M_THREEPID_AUTH_FAILED');
    });

    test('is not replaced by a proof for another purpose, and malformed ones are refused', async () => {
      const email = newAddress();
      await personWith(email);
      const proof = await prove('register', newAddress());
      for (const wrong of [proof, undefined, null, {}, { sid: 1, client_secret: [] }, 'text', []]) {
        assert.equal(outcomeOf(await reset(wrong as object)), '401 M_THREEPID_AUTH_FAILED');
      }
      assert.deepEqual(server.errors, []);
    });

    test('is changed with the old one by whoever is logged in, as before', async () => {
      const alice = await server.registerUser();
      const auth = { type: 'm.login.password', password: 'a password' };
      const changed = await alice.post(`${v3}/account/password`, { new_password: 'new', auth });
      assert.equal(outcomeOf(changed), '200');
      assert.equal(outcomeOf(await alice.get(`${v3}/account/whoami`)), '200');
    });
  });
}

test('a server that says which addresses there are answers so', async (context) => {
  const withMail = await startServerWithMail({ settings: { MAIL_REVEAL_ADDRESSES: 'true' } });
  context.after(() => withMail.close());
  const { server, requestToken, addTo, smtp } = withMail;
  const email = newAddress();
  await addTo(await server.registerUser(), email);
  const request = { client_secret: newSecret(), email, send_attempt: 1 };
  assert.equal(outcomeOf(await requestToken('account/3pid', request)), '400 M_THREEPID_IN_USE');
  assert.equal(outcomeOf(await requestToken('register', request)), '400 M_THREEPID_IN_USE');
  const unknown = await requestToken('account/password', { ...request, email: newAddress() });
  assert.equal(outcomeOf(unknown), '400 M_THREEPID_NOT_FOUND');
  assert.equal(smtp.received.length, 1, 'nothing but what proved the address');
});

test('a server that sends no email says so, and has no passwords reset', async (context) => {
  const server = await startTestServer();
  context.after(() => server.close());
  const request = { client_secret: 'x', email: newAddress(), send_attempt: 1 };
  const phone = { client_secret: 'x', country: 'DE', phone_number: '151', send_attempt: 1 };
  for (const purpose of ['account/3pid', 'account/password', 'register']) {
    const path = `${v3}/${purpose}`;
    const refused = '400 M_THREEPID_MEDIUM_NOT_SUPPORTED';
    assert.equal(outcomeOf(await server.anonymous.post(`${path}/email/requestToken`, request)), refused);
    assert.equal(outcomeOf(await server.anonymous.post(`${path}/msisdn/requestToken`, phone)), refused);
  }
  const reset = await server.anonymous.post(`${v3}/account/password`, { new_password: 'new' });
  assert.equal(outcomeOf(reset), '401 M_MISSING_TOKEN');
  const alice = await server.registerUser();
  const { capabilities } = (await alice.get(`${v3}/capabilities`)).body as { capabilities: Record<string, object> };
  assert.deepEqual(capabilities['m.3pid_changes'], { enabled: false });
});
