import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { must } from '@portico/testkit/people.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const user = (userId: string) => `/_synapse/admin/v2/users/${encodeURIComponent(userId)}`;
const find = (subject: string, provider = 'test') =>
  `/_synapse/admin/v1/auth_providers/${provider}/users/${encodeURIComponent(subject)}`;
const idOf = (subject: string, provider = 'test') => ({ auth_provider: provider, external_id: subject });

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`external IDs, for administrators (${engine})`, () => {
    let sso: SsoServer;
    let admin: TestClient;
    before(async () => {
      sso = await startSsoServer({ engine });
      admin = await registerAdmin(sso.server, 'admin');
    });
    after(async () => {
      await sso.close();
      assert.deepEqual(sso.server.errors, []);
    });

    test('are those of an account that is made, with which its owner gets in', async () => {
      const sub = `a/${newSubject()} @b`;
      const made = await admin.put(user('@nora:localhost'), { external_ids: [idOf(sub)] });
      assert.equal(made.status, 201);
      assert.deepEqual(made.body['external_ids'], [idOf(sub)]);
      assert.deepEqual(await must(admin.get(find(sub))), { user_id: '@nora:localhost' });
      sso.idp.person = { sub };
      assert.equal((await sso.logIn()).userId, '@nora:localhost');
      assert.equal(refusalOf(await admin.get(find('nobody'))), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await admin.get(find(sub, 'other'))), '404 M_NOT_FOUND');
      const plain = await sso.server.registerUser();
      assert.equal(refusalOf(await plain.get(find(sub))), '403 M_FORBIDDEN');
    });

    test('added to an account that is there log its devices out; what is sent back as it was changes nothing', async () => {
      const alice = await sso.server.registerUser();
      const sub = newSubject();
      await must(admin.put(user(alice.userId), { displayname: 'Alice', external_ids: [] }));
      assert.equal((await alice.get(`${v3}/account/whoami`)).status, 200);
      await must(admin.put(user(alice.userId), { external_ids: [idOf(sub)] }));
      assert.equal(refusalOf(await alice.get(`${v3}/account/whoami`)), '401 M_UNKNOWN_TOKEN');
      sso.idp.person = { sub };
      const again = await sso.logIn();
      assert.equal(again.userId, alice.userId);
      const told = await must(admin.get(user(alice.userId)));
      await must(admin.put(user(alice.userId), { ...told, displayname: 'Alice again' }));
      assert.equal((await again.get(`${v3}/account/whoami`)).status, 200);
      const { body } = await admin.put(user(alice.userId), { external_ids: [] });
      assert.deepEqual(body['external_ids'], []);
      assert.equal((await again.get(`${v3}/account/whoami`)).status, 200, 'what is taken away lets nobody in');
      assert.match((await sso.newBrowser().open(sso.redirectOf())).html, /What do you want to be called/);
    });

    test('are nobody else’s, of providers that there are, and not put upon administrators', async () => {
      const alice = await sso.server.registerUser();
      const bob = await sso.server.registerUser();
      const sub = newSubject();
      await must(admin.put(user(alice.userId), { external_ids: [idOf(sub)] }));
      const ask = (userId: string, ids: unknown) => admin.put(user(userId), { external_ids: ids });
      assert.equal(refusalOf(await ask(bob.userId, [idOf(sub)])), '400 M_INVALID_PARAM');
      assert.equal((await bob.get(`${v3}/account/whoami`)).status, 200, 'all or nothing');
      assert.equal(refusalOf(await ask(bob.userId, [idOf(newSubject(), 'unknown')])), '400 M_INVALID_PARAM');
      assert.equal(refusalOf(await ask('@new-one:localhost', [idOf(newSubject(), 'unknown')])), '400 M_INVALID_PARAM');
      assert.equal(refusalOf(await ask(bob.userId, [{ auth_provider: 'test' }])), '400 M_MISSING_PARAM');
      const many = Array.from({ length: 51 }, () => idOf(newSubject()));
      assert.equal(refusalOf(await ask(bob.userId, many)), '403 M_USER_LIMIT_EXCEEDED');
      const boss = await registerAdmin(sso.server, newSubject());
      assert.equal(refusalOf(await ask(boss.userId, [idOf(newSubject())])), '403 M_FORBIDDEN');
      assert.deepEqual((await must(admin.get(user(bob.userId))))['external_ids'], []);
    });
  });
}
