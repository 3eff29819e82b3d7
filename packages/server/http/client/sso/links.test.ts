import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CookieBrowser } from '@portico/testkit/cookie-browser.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { isCallback, newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const path = '/_portico/client/v1/sso/links';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`linking an account with a provider (${engine})`, () => {
    let sso: SsoServer;
    before(async () => {
      sso = await startSsoServer({ engine, providers: [{ id: 'test' }, { id: 'other' }] });
    });
    after(async () => {
      await sso.close();
      assert.deepEqual(sso.server.errors, []);
    });

    const authOf = ({ userId }: TestClient, session?: unknown) => ({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: userId },
      password: 'a password',
      ...(session !== undefined && { session }),
    });
    /** Asks as the account page does; the browser keeps what it is told to. */
    async function begin(client: TestClient, browser: CookieBrowser): Promise<string> {
      const asked = await client.post(`${path}/test`, {});
      assert.equal(asked.status, 401);
      const answer = await client.post(`${path}/test`, { auth: authOf(client, asked.body['session']) });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      browser.keep(sso.base, answer.headers);
      return String(answer.body['url']);
    }
    const linksOf = async (client: TestClient) =>
      ((await client.get(path)).body['links'] as { provider: string; subject: string }[]).map(
        ({ provider, subject }) => `${provider} ${subject}`,
      );
    const unlink = (client: TestClient, subject: string, auth?: object) =>
      client.delete(`${path}/test`, { subject, ...(auth && { auth }) });

    test('takes the password, and a yes on the way back; then it is a way in', async () => {
      const alice = await sso.server.registerUser();
      const browser = sso.newBrowser();
      const sub = newSubject();
      sso.idp.person = { sub };
      const asked = await browser.open(await begin(alice, browser));
      assert.match(asked.html, new RegExp(`Provider &#60;test&#62;.*${alice.userId}`, 's'));
      assert.deepEqual(await linksOf(alice), []);
      assert.match((await browser.submit(asked)).html, /Your account is linked/);
      assert.deepEqual(await linksOf(alice), [`test ${sub}`]);
      assert.equal((await sso.logIn()).userId, alice.userId);
      const { providers, has_password: hasPassword } = (await alice.get(path)).body;
      assert.equal(hasPassword, true);
      assert.deepEqual(providers, [
        { id: 'test', name: 'Provider <test>' },
        { id: 'other', name: 'Provider <other>' },
      ]);
      assert.match((await browser.submit(asked)).html, /This login is over/);
    });

    test('does not begin where the provider does not answer: what was confirmed for it is still good', async () => {
      const alice = await sso.server.registerUser();
      // Nobody has asked anything of this one yet.
      const other = '/_portico/client/v1/sso/links/other';
      const { session } = (await alice.post(other, {})).body;
      sso.idp.intercept = (_request, response) => {
        response.writeHead(503).end();
        return true;
      };
      const refused = await alice.post(other, { auth: authOf(alice, session) });
      sso.idp.intercept = undefined;
      assert.equal(refusalOf(refused), '502 M_UNKNOWN');
      const answer = await alice.post(other, { auth: authOf(alice, session) });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const browser = sso.newBrowser();
      browser.keep(sso.base, answer.headers);
      const sub = newSubject();
      sso.idp.person = { sub };
      const asked = await browser.open(String(answer.body['url']));
      assert.match((await browser.submit(asked)).html, /Your account is linked/);
      assert.deepEqual(await linksOf(alice), [`other ${sub}`]);
      const again = await alice.post(other, { auth: authOf(alice, session) });
      assert.equal(again.status, 400, 'it is good once');
    });

    test('nobody is made to link who they are with somebody else’s account', async () => {
      const mallory = await sso.server.registerUser();
      const own = sso.newBrowser();
      const address = await begin(mallory, own);
      sso.idp.person = { sub: newSubject() };
      const victim = sso.newBrowser();
      assert.match((await victim.open(address)).html, /begun in another browser/);
      const withLogin = sso.newBrowser(isCallback);
      await withLogin.open(sso.redirectOf(undefined, 'test'));
      const { url } = await withLogin.open(address);
      const going = sso.newBrowser();
      for (const [origin, jar] of withLogin.cookies) {
        going.keep(origin, new Headers([...jar].map(([name, value]) => ['set-cookie', `${name}=${value}`])));
      }
      assert.match((await going.open(url)).html, /begun in another browser/);
      assert.deepEqual(await linksOf(mallory), []);
    });

    test('who is linked already is not taken from their account', async () => {
      const sub = newSubject();
      sso.idp.person = { sub, preferred_username: sub };
      const owner = await sso.logIn();
      const alice = await sso.server.registerUser();
      const browser = sso.newBrowser();
      const refused = await browser.open(await begin(alice, browser));
      assert.equal(refused.status, 400);
      assert.match(refused.html, /linked with an account here already/);
      assert.equal((await sso.logIn()).userId, owner.userId);
    });

    test('an account that ends on the way is not linked', async () => {
      const alice = await sso.server.registerUser();
      const browser = sso.newBrowser();
      sso.idp.person = { sub: newSubject() };
      const asked = await browser.open(await begin(alice, browser));
      assert.equal((await alice.post(`${v3}/account/deactivate`, { auth: authOf(alice) })).status, 200);
      assert.match((await browser.submit(asked)).html, /This login is over/);
    });

    test('an account that is locked on the way, or has as many links as it may, is not linked', async () => {
      const admin = await registerAdmin(sso.server, newSubject());
      const alice = await sso.server.registerUser();
      const browser = sso.newBrowser();
      sso.idp.person = { sub: newSubject() };
      const asked = await browser.open(await begin(alice, browser));
      const lock = (locked: boolean) => admin.put(`/_matrix/client/v1/admin/lock/${alice.userId}`, { locked });
      assert.equal((await lock(true)).status, 200);
      assert.match((await browser.submit(asked)).html, /has been locked/);
      assert.equal((await lock(false)).status, 200);
      assert.deepEqual(await linksOf(alice), []);

      const ids = Array.from({ length: 50 }, () => ({ auth_provider: 'other', external_id: newSubject() }));
      const { status } = await admin.put(`/_synapse/admin/v2/users/${alice.userId}`, { external_ids: ids });
      assert.equal(status, 200);
      const identifier = { type: 'm.id.user', user: alice.userId };
      const login = { type: 'm.login.password', identifier, password: 'a password' };
      const { access_token: accessToken } = (await sso.server.anonymous.post(`${v3}/login`, login)).body;
      const again = sso.server.as({ userId: alice.userId, deviceId: '', accessToken: String(accessToken) });
      assert.match((await browser.open(await begin(again, browser))).html, /fifty others at most/);
    });

    test('a link is taken away by whoever has the password, and leads nowhere then', async () => {
      const alice = await sso.server.registerUser();
      const browser = sso.newBrowser();
      const sub = newSubject();
      sso.idp.person = { sub };
      await browser.submit(await browser.open(await begin(alice, browser)));
      const halfWay = sso.newBrowser();
      const asked = await halfWay.open(sso.redirectOf('https://client.test/', 'test'));
      assert.equal(asked.status, 200);
      const bob = await sso.server.registerUser();
      assert.equal(refusalOf(await unlink(bob, sub, authOf(bob))), '404 M_NOT_FOUND');
      assert.equal((await unlink(alice, sub)).status, 401);
      assert.equal((await unlink(alice, sub, authOf(alice))).status, 200);
      assert.deepEqual(await linksOf(alice), []);
      assert.match((await halfWay.submit(asked)).html, /This login is over/);
      assert.match((await sso.newBrowser().open(sso.redirectOf(undefined, 'test'))).html, /What do you want/);
    });

    test('the last way in stays', async () => {
      const sub = newSubject();
      sso.idp.person = { sub, preferred_username: sub };
      const client = await sso.logIn();
      assert.equal((await client.get(path)).body['has_password'], false);
      const { session } = (await unlink(client, sub)).body;
      const confirm = `${sso.base}/_portico/client/v1/sso/confirm/test?session=${String(session)}`;
      const browser = sso.newBrowser();
      assert.equal((await browser.submit(await browser.open(confirm))).status, 200);
      assert.equal(refusalOf(await unlink(client, sub, { session })), '403 M_FORBIDDEN');
      assert.deepEqual(await linksOf(client), [`test ${sub}`]);
    });

    test('needs a token, and a provider that there is', async () => {
      assert.equal(refusalOf(await sso.server.anonymous.get(path)), '401 M_MISSING_TOKEN');
      const alice = await sso.server.registerUser();
      assert.equal(refusalOf(await alice.post(`${path}/unknown`, { auth: authOf(alice) })), '404 M_NOT_FOUND');
    });
  });
}
