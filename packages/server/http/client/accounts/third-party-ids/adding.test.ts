import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { linkIn, openPage } from '@portico/testkit/mail-links.ts';
import { newAddress, newSecret, outcomeOf, startServerWithMail } from '@portico/testkit/mail-person.ts';

const v3 = '/_matrix/client/v3';
const auth = { type: 'm.login.password', password: 'a password' };
const hour = 3_600_000;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`email addresses of accounts (${engine})`, async () => {
    let ahead = 0;
    const withMail = await startServerWithMail({ engine, now: () => Date.now() + ahead });
    const { server, ask, prove, addTo, addressesOf } = withMail;
    after(() => withMail.close());

    test('are added once their owner has followed a link, with the password', async () => {
      const alice = await server.registerUser();
      const email = newAddress();
      const { proof, mail } = await ask('account/3pid', email);
      const add = async (over: object = {}) =>
        outcomeOf(await alice.post(`${v3}/account/3pid/add`, { ...proof, ...over }));
      assert.equal(await add({ auth }), '403 M_THREEPID_AUTH_FAILED', 'nobody has followed the link');
      assert.match((await openPage(server, linkIn(mail))).html, new RegExp(`${email} is confirmed`));
      assert.deepEqual((await alice.post(`${v3}/account/3pid/add`, proof)).body['flows'], [
        { stages: ['m.login.password'] },
      ]);
      assert.equal(await add({ auth: { ...auth, password: 'wrong' } }), '401 M_FORBIDDEN');
      assert.equal(await add({ auth, client_secret: newSecret() }), '403 M_THREEPID_AUTH_FAILED');
      assert.equal(await add({ auth, sid: 'another' }), '403 M_THREEPID_AUTH_FAILED');
      assert.equal(await add({ auth }), '200');
      const { threepids } = (await alice.get(`${v3}/account/3pid`)).body as { threepids: Record<string, unknown>[] };
      const [{ medium, address, validated_at: validated, added_at: added } = {}] = threepids;
      assert.deepEqual([medium, address, threepids.length], ['email', email, 1]);
      assert.ok(Number(added) >= Number(validated) && Number(validated) > 1_700_000_000_000);
      assert.equal(await add({ auth }), '403 M_THREEPID_AUTH_FAILED', 'a proof is good for one use');
      assert.equal((await openPage(server, linkIn(mail))).status, 400, 'and so is its link');
      assert.deepEqual(server.errors, []);
    });

    test('are added by the deprecated endpoint under the same conditions', async () => {
      const alice = await server.registerUser();
      const email = newAddress();
      const credentials = { ...(await prove('account/3pid', email)), id_server: 'id.test', id_access_token: 'x' };
      const post = async (over: object) =>
        outcomeOf(await alice.post(`${v3}/account/3pid`, { three_pid_creds: credentials, ...over }));
      assert.equal(await post({}), '401');
      assert.equal(await post({ auth }), '200');
      assert.deepEqual(await addressesOf(alice), [email]);
    });

    test('are not proved by a link that is made up, of somebody else, or too old', async () => {
      const alice = await server.registerUser();
      const { mail } = await ask('account/3pid', newAddress());
      const other = await ask('account/3pid', newAddress());
      const link = linkIn(mail);
      for (const wrong of [
        link.replace(/token=.{5}/, 'token=AAAAA'),
        link.replace(/token=.*/, ''),
        link.replace(/\?.*/, ''),
        link.replace(/sid=[^&]*/, `sid=${other.proof.sid}`),
        link.replace(/sid=[^&]*/, `sid=${'x'.repeat(5000)}`),
      ]) {
        for (const method of ['GET', 'POST'] as const) {
          const { status, html } = await openPage(server, wrong, method);
          assert.deepEqual([status, html.includes('does not work')], [400, true], wrong);
        }
      }
      const late = await ask('account/3pid', newAddress());
      const unused = await prove('account/3pid', newAddress());
      ahead += 24 * hour + 1000;
      assert.equal((await openPage(server, linkIn(late.mail))).status, 400);
      for (const proof of [late.proof, unused]) {
        const added = await alice.post(`${v3}/account/3pid/add`, { ...proof, auth });
        assert.equal(outcomeOf(added), '403 M_THREEPID_AUTH_FAILED');
      }
      assert.deepEqual(await addressesOf(alice), []);
    });

    test('are proved for one purpose only', async () => {
      const alice = await server.registerUser();
      const proof = await prove('register', newAddress());
      const added = await alice.post(`${v3}/account/3pid/add`, { ...proof, auth });
      assert.equal(outcomeOf(added), '403 M_THREEPID_AUTH_FAILED');
    });

    test('are the same in whatever case they are written, and mail goes to the form that is kept', async () => {
      const alice = await server.registerUser();
      const local = `Strauß-${newSecret()}`;
      const kept = `${local}@example.com`.toLowerCase().replace('ß', 'ss');
      const secret = newSecret();
      const request = { client_secret: secret, email: `${local}@Example.COM`, send_attempt: 1 };
      const asked = await withMail.requestToken('account/3pid', request);
      const mail = await withMail.smtp.next(kept);
      await openPage(server, linkIn(mail));
      const proof = { sid: asked.body['sid'], client_secret: secret, auth };
      assert.equal(outcomeOf(await alice.post(`${v3}/account/3pid/add`, proof)), '200');
      assert.deepEqual(await addressesOf(alice), [kept]);
      const upper = `${local.toUpperCase()}@EXAMPLE.com`;
      const login = { type: 'm.login.password', password: 'a password' };
      const identifier = { type: 'm.id.thirdparty', medium: 'email', address: upper };
      assert.equal(
        (await server.anonymous.post(`${v3}/login`, { ...login, identifier })).body['user_id'],
        alice.userId,
      );
      const gone = await alice.post(`${v3}/account/3pid/delete`, { medium: 'email', address: upper });
      assert.equal(outcomeOf(gone), '200');
      assert.deepEqual(await addressesOf(alice), []);
    });

    test('log people in, in every form that clients use, and tell nobody which there are', async () => {
      const alice = await server.registerUser();
      const email = newAddress();
      await addTo(alice, email);
      const login = async (who: object, password = 'a password') => {
        const response = await server.anonymous.post(`${v3}/login`, { type: 'm.login.password', password, ...who });
        return response.status === 200 ? response.body['user_id'] : outcomeOf(response);
      };
      const by = (medium: string, address: string) => ({ identifier: { type: 'm.id.thirdparty', medium, address } });
      assert.equal(await login(by('email', email)), alice.userId);
      assert.equal(await login({ medium: 'email', address: email }), alice.userId);
      assert.equal(await login(by('email', email), 'wrong'), '403 M_FORBIDDEN');
      assert.equal(await login(by('email', newAddress())), '403 M_FORBIDDEN');
      assert.equal(await login(by('email', 'no address')), '403 M_FORBIDDEN');
      assert.equal(await login(by('msisdn', '4915112345678')), '403 M_FORBIDDEN');
      assert.equal(await login({ identifier: { type: 'm.id.phone', country: 'DE', phone: '151' } }), '403 M_FORBIDDEN');
      assert.equal(await login({ identifier: { type: 'm.id.thirdparty', medium: 'email' } }), '400 M_MISSING_PARAM');
      const device = (await server.anonymous.post(`${v3}/login`, { ...auth, user: alice.userId })).body['device_id'];
      const remove = (identifier: object) =>
        alice.post(`${v3}/delete_devices`, { devices: [device], auth: { ...auth, identifier } });
      const { identifier } = by('email', newAddress());
      assert.equal(outcomeOf(await remove(identifier)), '403 M_FORBIDDEN');
      assert.equal(outcomeOf(await remove(by('email', email).identifier)), '200');
    });

    test('belong to one account: others are told by email only', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const email = newAddress();
      const early = await prove('account/3pid', email);
      await addTo(alice, email);
      const late = await bob.post(`${v3}/account/3pid/add`, { ...early, auth });
      assert.notEqual(late.status, 200);
      for (const purpose of ['account/3pid', 'register'] as const) {
        const { proof, mail } = await ask(purpose, email);
        assert.match(proof.sid, /^[0-9a-zA-Z.=_-]{1,255}$/);
        assert.match(mail.text, /belongs to one already/);
        assert.doesNotMatch(mail.text + mail.html, /submit_token|@user-/);
      }
      assert.deepEqual([await addressesOf(alice), await addressesOf(bob)], [[email], []]);
      await addTo(bob, newAddress());
    });

    test('are given to one of those who want them at the same time', async () => {
      const people = await Promise.all([server.registerUser(), server.registerUser(), server.registerUser()]);
      const email = newAddress();
      const proofs: object[] = [];
      for (const _ of people) proofs.push(await prove('account/3pid', email));
      const outcomes = await Promise.all(
        people.map(async (person, index) =>
          outcomeOf(await person.post(`${v3}/account/3pid/add`, { ...proofs[index], auth })),
        ),
      );
      assert.equal(outcomes.filter((outcome) => outcome === '200').length, 1, outcomes.join());
      assert.deepEqual((await Promise.all(people.map(addressesOf))).flat(), [email]);
      assert.deepEqual(server.errors, []);
    });

    test('go with an account that is deactivated, and are free again', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const email = newAddress();
      await addTo(alice, email);
      const { proof } = await ask('account/password', email);
      const { status, body } = await alice.post(`${v3}/account/deactivate`, { auth });
      assert.deepEqual(
        [status, body],
        [200, { id_server_unbind_result: 'no-support' }],
        'nobody knows where it is bound',
      );
      const login = { ...auth, identifier: { type: 'm.id.thirdparty', medium: 'email', address: email } };
      assert.equal(outcomeOf(await server.anonymous.post(`${v3}/login`, login)), '403 M_FORBIDDEN');
      const reset = { type: 'm.login.email.identity', threepid_creds: proof };
      const attempt = await server.anonymous.post(`${v3}/account/password`, { new_password: 'x', auth: reset });
      assert.equal(outcomeOf(attempt), '401 M_THREEPID_AUTH_FAILED');
      await addTo(bob, email);
      assert.deepEqual(await addressesOf(bob), [email]);
      assert.deepEqual(server.errors, []);
    });

    test('can be changed where the server sends email, and clients are told', async () => {
      const alice = await server.registerUser();
      const { capabilities } = (await alice.get(`${v3}/capabilities`)).body as { capabilities: Record<string, object> };
      assert.deepEqual(capabilities['m.3pid_changes'], { enabled: true });
    });
  });
}
