import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { clientAddress, newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';

const v3 = '/_matrix/client/v3';
const adopting = { id: 'adopting', adopt_accounts: true };
const closed = { id: 'closed', new_accounts: 'nobody' };
const limited = { id: 'limited', required_claims: { groups: ['staff', 'board'], email_verified: 'true' } };
const mailed = { id: 'mailed', claims: { email: 'contact' } };
const named = { id: 'named', claims: { localpart: 'name', display_name: 'preferred_username' } };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`who comes from a provider for the first time (${engine})`, () => {
    let sso: SsoServer;
    before(async () => {
      sso = await startSsoServer({ engine, providers: [{ id: 'test' }, adopting, closed, limited, named, mailed] });
    });
    after(async () => {
      await sso.close();
      assert.deepEqual(sso.server.errors, []);
    });
    const open = (id = 'test', to?: string, browser = sso.newBrowser()) => browser.open(sso.redirectOf(to, id));
    const comesAs = (claims: Record<string, unknown>, sub = newSubject()) => {
      sso.idp.person = { sub, ...claims };
      return sub;
    };
    async function nameAfter(id: string): Promise<string> {
      return (await sso.logInByToken(sso.tokenIn(await open(id)))).userId;
    }
    const emailsOf = async (id: string) => {
      const client = await sso.logInByToken(sso.tokenIn(await open(id)));
      const { threepids } = (await client.get(`${v3}/account/3pid`)).body as { threepids: { address: string }[] };
      return threepids.map(({ address }) => address);
    };

    test('chooses a name where theirs is taken, and is shown what is wrong with one', async () => {
      const alice = await sso.server.registerUser();
      const name = alice.userId.slice(1).split(':')[0] ?? '';
      const sub = comesAs({ preferred_username: name });
      const browser = sso.newBrowser();
      const asked = await open('test', clientAddress, browser);
      assert.equal(asked.status, 200);
      assert.match(asked.html, new RegExp(`value="${name}"`));
      assert.match(asked.html, /client\.test/);
      for (const [wanted, problem] of [
        [name, /taken/],
        ['Ä "><script>', /consists of/],
        ['', /consists of/],
        ['x'.repeat(300), /at most 255/],
      ] as const) {
        const again = await browser.submit(asked, { username: wanted });
        assert.equal(again.status, 200);
        assert.match(again.html, problem);
        assert.doesNotMatch(again.html, /<script/);
      }
      const left = await browser.submit(asked, { username: sub });
      const client = await sso.logInByToken(sso.tokenIn(left));
      assert.equal(client.userId, `@${sub}:localhost`);
      assert.equal(await nameAfter('test'), client.userId);
      assert.match((await browser.submit(asked, { username: 'another' })).html, /This login is over/);
    });

    test('chooses one where the provider has none that a user ID may have, from what is near', async () => {
      comesAs({ preferred_username: 'Jörg.Müller@example.org' });
      assert.match((await open()).html, /value="jrg\.mller"/);
      comesAs({});
      assert.match((await open()).html, /value=""/);
      comesAs({ preferred_username: '"><?>' });
      assert.match((await open()).html, /value=""/);
    });

    test('gets into nobody’s account by its name or its email address', async () => {
      const name = newSubject();
      const email = `${name}@example.org`;
      const sub = comesAs({ preferred_username: name, email, email_verified: true });
      assert.equal(await nameAfter('test'), `@${name}:localhost`);
      assert.deepEqual(await emailsOf('test'), [email]);
      comesAs({ preferred_username: name, email, email_verified: true });
      const asked = await open();
      assert.equal(asked.status, 200);
      assert.match(asked.html, /What do you want to be called/);
      comesAs({ preferred_username: newSubject(), email, email_verified: true });
      assert.deepEqual(await emailsOf('test'), [], 'an address that is somebody’s stays theirs');
      comesAs({ preferred_username: newSubject(), email: `un${email}`, email_verified: false });
      assert.deepEqual(await emailsOf('test'), [], 'one that is not proved is nobody’s');
      comesAs({}, sub);
      assert.equal(await nameAfter('test'), `@${name}:localhost`);
    });

    test('gets into the account of their name where the operator wants that, unless it is an administrator’s', async () => {
      const alice = await sso.server.registerUser();
      const name = alice.userId.slice(1).split(':')[0] ?? '';
      const sub = comesAs({ preferred_username: name.toUpperCase() });
      assert.equal(await nameAfter('adopting'), alice.userId);
      comesAs({ preferred_username: name });
      assert.match((await open('adopting')).html, /What do you want to be called/, 'the first to come has it');
      comesAs({}, sub);
      assert.equal(await nameAfter('adopting'), alice.userId);
      const admin = `boss-${sub}`;
      const boss = await registerAdmin(sso.server, admin);
      const bot = { password: 'a password', user_type: 'bot' };
      assert.equal((await boss.put(`/_synapse/admin/v2/users/@bot-${sub}:localhost`, bot)).status, 201);
      comesAs({ preferred_username: `bot-${sub}` });
      assert.match((await open('adopting')).html, /What do you want to be called/, 'nor a bot’s');
      comesAs({ preferred_username: admin });
      assert.match((await open('adopting')).html, /What do you want to be called/);
      comesAs({ preferred_username: '_server' });
      assert.match((await open('adopting')).html, /What do you want to be called/, 'a program’s is none to have');
      comesAs({ preferred_username: sub });
      assert.equal(await nameAfter('test'), `@${sub}:localhost`);
      comesAs({ preferred_username: sub });
      assert.match((await open('adopting')).html, /What do you want to be called/, 'nor one that came by another');
    });

    test('gets no account where none are made', async () => {
      comesAs({ preferred_username: newSubject() });
      const refused = await open('closed');
      assert.equal(refused.status, 403);
      assert.match(refused.html, /none is made/);
    });

    test('gets in with all the claims that it takes, and not without', async () => {
      const name = newSubject();
      for (const claims of [
        {},
        { groups: ['staff'] },
        { groups: ['guests'], email_verified: true },
        { groups: 'staffs', email_verified: true },
        { groups: ['board'], email_verified: 'false' },
      ]) {
        comesAs({ preferred_username: name, ...claims });
        const refused = await open('limited');
        assert.equal(refused.status, 403, JSON.stringify(claims));
        assert.match(refused.html, /not among those/);
      }
      comesAs({ preferred_username: name, groups: ['guests', 'board'], email_verified: true });
      assert.equal(await nameAfter('limited'), `@${name}:localhost`);
    });

    test('has no address that only another one was proved for', async () => {
      const name = newSubject();
      const claims = { preferred_username: name, email: `${name}@a.test`, email_verified: true };
      for (const [more, addresses] of [
        [{ contact: `${name}@b.test` }, []],
        [{ contact: `${name}@c.test`, contact_verified: 'true' }, []],
        [{ contact: `${name}@d.test`, contact_verified: true }, [`${name}@d.test`]],
      ] as const) {
        comesAs({ ...claims, preferred_username: newSubject(), ...more });
        assert.deepEqual(await emailsOf('mailed'), addresses);
      }
    });

    test('is called by the claims that the operator has named', async () => {
      const sub = comesAs({ name: 'x', preferred_username: 'Wonderful' });
      sso.idp.person = { sub, name: sub, preferred_username: 'Wonderful' };
      const client = await sso.logInByToken(sso.tokenIn(await open('named')));
      assert.equal(client.userId, `@${sub}:localhost`);
      assert.equal((await client.get(`${v3}/profile/${client.userId}`)).body['displayname'], 'Wonderful');
    });

    test('gets into no account that is locked or has ended, at any step', async () => {
      const admin = await registerAdmin(sso.server, newSubject());
      const sub = comesAs({ preferred_username: newSubject() });
      const client = await sso.logInByToken(sso.tokenIn(await open()));
      const browser = sso.newBrowser();
      const asked = await open('test', clientAddress, browser);
      const token = sso.tokenIn(await open());
      const lock = (locked: boolean) => admin.put(`/_matrix/client/v1/admin/lock/${client.userId}`, { locked });
      assert.equal((await lock(true)).status, 200);
      for (const shown of [await open(), await open('test', clientAddress), await browser.submit(asked)]) {
        assert.equal(shown.status, 401);
        assert.match(shown.html, /has been locked/);
      }
      assert.equal((await lock(false)).status, 200);
      assert.equal((await open()).status, 0);
      const running = await open('test', clientAddress, browser);
      assert.equal((await admin.post(`/_synapse/admin/v1/deactivate/${client.userId}`, { erase: false })).status, 200);
      for (const shown of [await open(), await open('test', clientAddress)]) {
        assert.equal(shown.status, 403);
        assert.match(shown.html, /has been deactivated/);
      }
      assert.match((await browser.submit(running)).html, /This login is over/);
      const late = await sso.server.anonymous.post(`${v3}/login`, { type: 'm.login.token', token });
      assert.equal(late.status, 403);
      assert.equal(sso.idp.person?.sub, sub);
    });

    test('does not stay half-way in where others are kept out, or the way in is taken away', async () => {
      const admin = await registerAdmin(sso.server, newSubject());
      const user = (userId: string) => `/_synapse/admin/v2/users/${encodeURIComponent(userId)}`;
      const keepOut = {
        'a new password': (client: TestClient) =>
          admin.post(`/_synapse/admin/v1/reset_password/${client.userId}`, { new_password: 'a new one' }),
        'logging out everywhere': (client: TestClient) => client.post(`${v3}/logout/all`),
        'other links': (client: TestClient) => admin.put(user(client.userId), { external_ids: [] }),
        'more links': (client: TestClient) =>
          admin.put(user(client.userId), {
            external_ids: [
              { auth_provider: 'test', external_id: sso.idp.person?.sub },
              { auth_provider: 'test', external_id: newSubject() },
            ],
          }),
      };
      for (const [name, act] of Object.entries(keepOut)) {
        comesAs({ preferred_username: newSubject() });
        const client = await sso.logInByToken(sso.tokenIn(await open()));
        const browser = sso.newBrowser();
        const asked = await open('test', clientAddress, browser);
        const token = sso.tokenIn(await open());
        const { status, body } = await act(client);
        assert.equal(status, 200, `${name}: ${JSON.stringify(body)}`);
        assert.match((await browser.submit(asked)).html, /This login is over/, name);
        const late = await sso.server.anonymous.post(`${v3}/login`, { type: 'm.login.token', token });
        assert.equal(late.status, 403, name);
      }
    });

    test('chooses where to log in, where there are several', async () => {
      const shown = await sso.newBrowser().open(`${sso.redirectOf(clientAddress)}&action=login`);
      assert.equal(shown.status, 200);
      const links = Array.from(shown.html.matchAll(/<a href="([^"]*)">([^<]*)</g), ([, href = '', name]) => [
        href,
        name,
      ]);
      assert.equal(links.length, 6);
      assert.equal(links[0]?.[1], 'Provider &#60;test&#62;');
      comesAs({ preferred_username: newSubject() });
      const followed = new URL((links[0]?.[0] ?? '').replaceAll('&amp;', '&'), shown.url).href;
      assert.match((await sso.newBrowser().open(followed)).html, /client\.test/);
      const unknown = await sso.newBrowser().open(sso.redirectOf(clientAddress, 'unknown'));
      assert.equal(unknown.status, 404);
      assert.match(unknown.html, /does not know the service/);
    });
  });
}

test('where everybody must have an email address, one that the provider knows will do', async () => {
  const mail = { MAIL_HOST: '127.0.0.1', MAIL_SECURITY: 'none', MAIL_FROM: 'portico@example.org' };
  const sso = await startSsoServer({ settings: { ...mail, REGISTRATION_REQUIRE_EMAIL: 'true' } });
  const name = newSubject();
  for (const claims of [{}, { email: 'x@example.org' }, { email: 'x@example.org', email_verified: false }]) {
    sso.idp.person = { sub: newSubject(), preferred_username: name, ...claims };
    const refused = await sso.newBrowser().open(sso.redirectOf());
    assert.equal(refused.status, 403);
    assert.match(refused.html, /takes an email address/);
  }
  sso.idp.person = { sub: newSubject(), preferred_username: name, email: 'x@example.org', email_verified: true };
  assert.equal((await sso.logIn()).userId, `@${name}:localhost`);
  sso.idp.person = {
    sub: newSubject(),
    preferred_username: newSubject(),
    email: 'x@example.org',
    email_verified: true,
  };
  assert.equal((await sso.newBrowser().open(sso.redirectOf())).status, 403);
  await sso.close();
  assert.deepEqual(sso.server.errors, []);
});

test('a login takes ten minutes at most', async () => {
  let time = 1_700_000_000_000;
  const sso = await startSsoServer({ now: () => time });
  sso.idp.person = { sub: newSubject(), preferred_username: newSubject() };
  const browser = sso.newBrowser();
  const asked = await browser.open(sso.redirectOf(clientAddress));
  assert.equal(asked.status, 200, asked.html);
  time += 599_000;
  assert.equal((await browser.open(asked.url)).status, 200);
  time += 2000;
  assert.match((await browser.submit(asked)).html, /This login is over/);
  await sso.close();
});
