import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { logInWithForged } from '@portico/testkit/forged-answers.ts';
import type { Shown } from '@portico/testkit/cookie-browser.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`showing who one is by way of a provider (${engine})`, () => {
    let sso: SsoServer;
    before(async () => {
      sso = await startSsoServer({ engine, providers: [{ id: 'test' }, { id: 'other' }] });
    });
    after(async () => {
      await sso.close();
      assert.deepEqual(sso.server.errors, []);
    });

    async function newPerson(): Promise<{ client: TestClient; sub: string }> {
      const sub = newSubject();
      sso.idp.person = { sub, preferred_username: sub };
      return { client: await sso.logIn(), sub };
    }
    const deleteDevice = (client: TestClient, auth?: object) =>
      client.post(`${v3}/delete_devices`, { devices: [client.deviceId], ...(auth && { auth }) });
    async function sessionOf(client: TestClient): Promise<string> {
      const { status, body } = await deleteDevice(client);
      assert.equal(status, 401);
      assert.deepEqual(body['flows'], [{ stages: ['m.login.sso'] }]);
      return String(body['session']);
    }
    /** Logs in at the provider, and says yes to what is asked then. */
    async function passBy(link: string): Promise<Shown> {
      const browser = sso.newBrowser();
      const asked = await browser.open(link);
      assert.equal(asked.status, 200, asked.html);
      return browser.submit(asked);
    }
    /** The page of the stage, and where its one link leads. */
    async function openStage(session: string) {
      const page = `${sso.base}${v3}/auth/m.login.sso/fallback/web?session=${session}`;
      const shown = await sso.newBrowser().open(page);
      const [, href = ''] = /<a href="([^"]*)"/.exec(shown.html) ?? [];
      return { shown, link: new URL(href.replaceAll('&amp;', '&'), page).href };
    }

    test('is what is asked of somebody without a password, on the page of the stage', async () => {
      const { client } = await newPerson();
      const session = await sessionOf(client);
      const { shown, link } = await openStage(session);
      assert.equal(shown.status, 200);
      assert.equal(shown.html.match(/<a /g)?.length, 1, 'only where they can log in');
      assert.doesNotMatch(shown.html, /<form/);
      const done = await passBy(link);
      assert.equal(done.status, 200, done.html);
      assert.match(done.html, /window\.onAuthDone/);
      assert.equal(sso.idp.authorizations.at(-1)?.['prompt'], 'login', 'they log in there anew');
      assert.equal((await deleteDevice(client, { session })).status, 200);
    });

    test('is passed by nothing that a client says', async () => {
      const { client } = await newPerson();
      const session = await sessionOf(client);
      for (const auth of [
        { type: 'm.login.sso', session },
        { type: 'm.login.sso' },
        { session },
        { type: 'm.login.dummy', session },
        { type: 'm.login.password', session, identifier: { type: 'm.id.user', user: client.userId }, password: '' },
      ]) {
        assert.equal((await deleteDevice(client, auth)).status, 401, JSON.stringify(auth));
      }
      const page = `${sso.base}${v3}/auth/m.login.sso/fallback/web?session=${session}`;
      const posted = await fetch(page, { method: 'POST', body: new URLSearchParams({ password: 'x' }) });
      assert.match(await posted.text(), /<a href/);
      assert.equal((await deleteDevice(client, { session })).status, 401);
    });

    test('takes a yes to what it is for, of the browser that came back, whoever has led it there', async () => {
      const { client, sub } = await newPerson();
      const session = await sessionOf(client);
      const { link } = await openStage(session);
      const browser = sso.newBrowser();
      const asked = await browser.open(link);
      assert.match(asked.html, new RegExp(`@${sub}:localhost.* wants to delete devices`, 's'));
      assert.doesNotMatch(asked.html, /<script/);
      assert.equal((await deleteDevice(client, { session })).status, 401);
      assert.equal((await sso.newBrowser().submit(asked)).status, 403);
      assert.equal((await deleteDevice(client, { session })).status, 401);
      assert.match((await browser.submit(asked)).html, /window\.onAuthDone/);
      assert.match((await browser.submit(asked)).html, /This login is over/);
      assert.equal((await deleteDevice(client, { session })).status, 200);
    });

    test('is passed in no account that is locked or has ended meanwhile', async () => {
      const admin = await registerAdmin(sso.server, newSubject());
      const { client } = await newPerson();
      const session = await sessionOf(client);
      const { link } = await openStage(session);
      const [first, second] = [sso.newBrowser(), sso.newBrowser()];
      const [asked, askedAgain] = [await first.open(link), await second.open(link)];
      const lock = (locked: boolean) => admin.put(`/_matrix/client/v1/admin/lock/${client.userId}`, { locked });
      assert.equal((await lock(true)).status, 200);
      assert.match((await first.submit(asked)).html, /has been locked/);
      assert.match((await sso.newBrowser().open(link)).html, /has been locked/);
      assert.equal((await lock(false)).status, 200);
      assert.equal((await deleteDevice(client, { session })).status, 401);
      assert.equal((await admin.post(`/_synapse/admin/v1/deactivate/${client.userId}`, { erase: false })).status, 200);
      assert.match((await second.submit(askedAgain)).html, /This login is over/);
    });

    test('takes a login of its own: that a browser is logged in there is not enough', async () => {
      const { client } = await newPerson();
      const session = await sessionOf(client);
      const { link } = await openStage(session);
      const browser = sso.newBrowser(
        (url) => url.startsWith(`${sso.idp.issuer}/auth?`) && url.includes('prompt=login'),
      );
      await browser.open(sso.redirectOf(undefined, 'test'));
      const url = new URL((await browser.open(link)).url);
      assert.equal(url.searchParams.get('max_age'), '0');
      // As whoever sits before the browser can write it.
      url.searchParams.delete('prompt');
      url.searchParams.delete('max_age');
      const known = sso.idp.authorizations.length;
      const refused = await browser.open(url.href);
      assert.equal(sso.idp.authorizations.length, known, 'nobody was asked anything there');
      assert.equal(refused.status, 403, refused.html);
      assert.match(refused.html, /did not have you log in once more/);
      assert.equal((await deleteDevice(client, { session })).status, 401);
    });

    test('does not work as anybody else, whose session stays what it was', async () => {
      const victim = await newPerson();
      const session = await sessionOf(victim.client);
      const { link } = await openStage(session);
      const mallory = newSubject();
      for (const sub of [mallory, (await newPerson()).sub]) {
        sso.idp.person = { sub, preferred_username: sub };
        const shown = await sso.newBrowser().open(link);
        assert.equal(shown.status, 403);
        assert.match(shown.html, /logged in as somebody else/);
      }
      assert.equal((await deleteDevice(victim.client, { session })).status, 401);
      const free = await sso.server.anonymous.get(`${v3}/register/available?username=${mallory}`);
      assert.equal(free.status, 200, 'nobody gets an account by the way');
      sso.idp.person = { sub: victim.sub };
      assert.match((await passBy(link)).html, /window\.onAuthDone/);
      assert.equal((await deleteDevice(victim.client, { session })).status, 200);
    });

    test('is good for the one thing that it was asked for, once', async () => {
      const { client } = await newPerson();
      const session = await sessionOf(client);
      await passBy((await openStage(session)).link);
      const other = await client.post(`${v3}/account/deactivate`, { auth: { session } });
      assert.equal(refusalOf(other), '403 M_FORBIDDEN');
      const elsewhere = await client.post(`${v3}/delete_devices`, { devices: ['another'], auth: { session } });
      assert.equal(refusalOf(elsewhere), '403 M_FORBIDDEN');
      const second = await sso.logIn();
      const swapped = await second.post(`${v3}/delete_devices`, { devices: [client.deviceId], auth: { session } });
      assert.equal(swapped.status, 200, 'the same person, who wants the same');
      const again = await second.post(`${v3}/delete_devices`, { devices: [client.deviceId], auth: { session } });
      assert.equal(refusalOf(again), '400 M_UNKNOWN');
    });

    test('lets somebody set a password, who then has both ways', async () => {
      const { client } = await newPerson();
      const change = (auth?: object) =>
        client.post(`${v3}/account/password`, { new_password: 'a pass phrase', ...(auth && { auth }) });
      const { session } = (await change()).body;
      await passBy((await openStage(String(session))).link);
      assert.equal((await change({ session })).status, 200);
      const { flows } = (await deleteDevice(client)).body;
      assert.deepEqual(flows, [{ stages: ['m.login.password'] }, { stages: ['m.login.sso'] }]);
      const identifier = { type: 'm.id.user', user: client.userId };
      const auth = { type: 'm.login.password', identifier, password: 'a pass phrase' };
      assert.equal((await deleteDevice(client, auth)).status, 200);
    });

    test('is offered to nobody who does not log in that way, nor for a session that is none', async () => {
      const alice = await sso.server.registerUser();
      const { session, flows } = (await deleteDevice(alice)).body;
      assert.deepEqual(flows, [{ stages: ['m.login.password'] }]);
      const { shown } = await openStage(String(session));
      assert.equal(shown.status, 400);
      for (const given of [String(session), 'made up', '']) {
        const path = `${sso.base}/_portico/client/v1/sso/confirm/test?session=${given}`;
        const page = await sso.newBrowser().open(path);
        assert.equal(page.status, 400);
        assert.match(page.html, /This login is over/);
      }
    });
  });
}

/** An account of somebody who has no password, and where they confirm what they have asked for. */
async function beginWithForged(sso: SsoServer): Promise<{ sub: string; link: string }> {
  const sub = newSubject();
  const shown = await logInWithForged(sso, { claims: { sub, preferred_username: sub } });
  const client = await sso.logInByToken(sso.tokenIn(shown));
  const { session } = (await client.post(`${v3}/delete_devices`, { devices: ['x'] })).body;
  return { sub, link: `${sso.base}/_portico/client/v1/sso/confirm/test?session=${String(session)}` };
}

test('when somebody has logged in counts, by a clock that may differ a little', async (context) => {
  const sso = await startSsoServer();
  context.after(() => sso.close());
  const { sub, link } = await beginWithForged(sso);
  const now = Math.floor(Date.now() / 1000);
  for (const [claims, status] of [
    [{}, 403],
    [{ auth_time: 1 }, 403],
    [{ auth_time: now - 120 }, 403],
    [{ auth_time: now - 30 }, 200],
    [{ auth_time: now }, 200],
    [{ auth_time: String(now) }, 502],
    [{ auth_time: null }, 502],
  ] as const) {
    const shown = await logInWithForged(sso, { claims: { sub, ...claims } }, link);
    assert.equal(shown.status, status, `${JSON.stringify(claims)}: ${shown.html}`);
  }
  const inUserInfo = { sub, auth_time: now };
  const aside = await logInWithForged(sso, { claims: { sub, auth_time: 1 }, userInfo: inUserInfo }, link);
  assert.equal(aside.status, 403, 'as the token has it');
});

test('where a provider never says when somebody has logged in, the page alone asks', async (context) => {
  const sso = await startSsoServer();
  context.after(() => sso.close());
  const discovery = `${sso.idp.issuer}/.well-known/openid-configuration`;
  const { claims_supported: _, ...metadata } = (await (await fetch(discovery)).json()) as Record<string, unknown>;
  sso.idp.intercept = (_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(metadata));
    return true;
  };
  await sso.newBrowser((url) => url.startsWith(sso.idp.issuer)).open(sso.redirectOf());
  const { sub, link } = await beginWithForged(sso);
  const shown = await logInWithForged(sso, { claims: { sub } }, link);
  assert.match(shown.html, /wants to delete devices/);
  const old = await logInWithForged(sso, { claims: { sub, auth_time: 1 } }, link);
  assert.equal(old.status, 403, 'what it says counts');
});
