import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startTestBridge, type TestBridge } from '@portico/testkit/bridge.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { clientAddress, newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';

const v3 = '/_matrix/client/v3';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`who comes from a provider with a name of an application service’s (${engine})`, () => {
    let sso: SsoServer;
    let bridge: TestBridge;
    before(async () => {
      bridge = await startTestBridge({
        namespaces: {
          users: [
            { exclusive: true, regex: '@_irc_.*' },
            { exclusive: false, regex: '@shared_.*' },
          ],
        },
      });
      sso = await startSsoServer({
        engine,
        providers: [{ id: 'adopting', adopt_accounts: true }, { id: 'test' }],
        settings: { APPLICATION_SERVICES: JSON.stringify([bridge.file]) },
      });
    });
    after(async () => {
      await sso.close();
      await bridge.close();
      assert.deepEqual(sso.server.errors, []);
    });
    const comesAs = (name: string): string => {
      const sub = newSubject();
      sso.idp.person = { sub, preferred_username: name };
      return sub;
    };
    /** An account of the service's that has got a password since: it looks like anybody's. */
    async function newAccount(name: string): Promise<void> {
      const as = sso.server.as({ userId: '@_bot:localhost', accessToken: bridge.asToken, deviceId: '' });
      const made = await as.post(`${v3}/register`, {
        type: 'm.login.application_service',
        username: name,
        inhibit_login: true,
      });
      assert.equal(made.status, 200, JSON.stringify(made.body));
      const admin = await registerAdmin(sso.server, `admin-${newSubject()}`);
      const path = `/_synapse/admin/v2/users/${encodeURIComponent(`@${name}:localhost`)}`;
      const { status, body } = await admin.put(path, { password: 'a password' });
      assert.equal(status, 200, JSON.stringify(body));
    }
    async function linksOf(sub: string): Promise<readonly unknown[]> {
      const raw = await openRawDatabase(sso.server.databaseUrl);
      const rows = await raw.run(`select user_id from external_ids where subject = '${sub}'`);
      await raw.close();
      return rows;
    }

    test('gets into no account that the service has to itself, however much it looks like theirs', async () => {
      const name = `_irc_${newSubject()}`;
      await newAccount(name);
      const sub = comesAs(name.toUpperCase());
      const shown = await sso.newBrowser().open(sso.redirectOf(undefined, 'adopting'));
      assert.equal(shown.status, 403, shown.html);
      assert.match(shown.html, /belongs to a bridge or a bot here/);
      assert.deepEqual(await linksOf(sub), []);
    });

    test('gets into one whose name the service only looks after', async () => {
      const name = `shared_${newSubject()}`;
      await newAccount(name);
      comesAs(name);
      const client = await sso.logInByToken(
        sso.tokenIn(await sso.newBrowser().open(sso.redirectOf(undefined, 'adopting'))),
      );
      assert.equal(client.userId, `@${name}:localhost`);
    });

    test('chooses another name, and is told at once why', async () => {
      for (const provider of ['adopting', 'test']) {
        const sub = comesAs(`_irc_${newSubject()}`);
        const browser = sso.newBrowser();
        const asked = await browser.open(sso.redirectOf(clientAddress, provider));
        assert.match(asked.html, /role="alert".*belongs to an application service/s);
        const again = await browser.submit(asked, { username: `_irc_${sub}` });
        assert.match(again.html, /role="alert".*belongs to an application service/s);
        assert.deepEqual(await linksOf(sub), []);
        const client = await sso.logInByToken(sso.tokenIn(await browser.submit(asked, { username: sub })));
        assert.equal(client.userId, `@${sub}:localhost`);
      }
    });
  });
}
