import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import { clientAddress, newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`logging in by way of a provider (${engine})`, () => {
    let sso: SsoServer;
    before(async () => {
      sso = await startSsoServer({ engine });
    });
    after(async () => {
      await sso.close();
      assert.deepEqual(sso.server.errors, []);
    });

    test('is offered, with the names of the providers', async () => {
      const { flows } = (await sso.server.anonymous.get(`${v3}/login`)).body as { flows: { type: string }[] };
      const flow = flows.find(({ type }) => type === 'm.login.sso');
      assert.deepEqual(flow, { type: 'm.login.sso', identity_providers: [{ id: 'test', name: 'Provider <test>' }] });
      assert.ok(flows.some(({ type }) => type === 'm.login.token'));
    });

    test('makes an account of the name that somebody has there, and asks before a client gets it', async () => {
      const sub = newSubject();
      sso.idp.person = { sub, preferred_username: sub, name: 'Somebody New' };
      const browser = sso.newBrowser();
      const asked = await browser.open(sso.redirectOf(clientAddress));
      assert.equal(asked.status, 200, asked.html);
      assert.match(asked.html, /client\.test/);
      assert.match(asked.html, new RegExp(`@${sub}:localhost`));
      assert.match(asked.headers.get('content-security-policy') ?? '', /form-action 'self' https:\/\/client\.test$/);
      const left = await browser.submit(asked);
      const url = new URL(left.url);
      assert.equal(url.href.replace(/&loginToken=[\w-]{43}/, ''), clientAddress);
      const client = await sso.logInByToken(sso.tokenIn(left));
      assert.equal(client.userId, `@${sub}:localhost`);
      const { body } = await client.get(`${v3}/profile/${client.userId}`);
      assert.equal(body['displayname'], 'Somebody New');
      assert.equal((await sso.logIn()).userId, client.userId);
    });
  });
}

test('without providers there is none of it', async (context) => {
  const server = await startTestServer();
  context.after(() => server.close());
  const { flows } = (await server.anonymous.get(`${v3}/login`)).body as { flows: { type: string }[] };
  assert.ok(!flows.some(({ type }) => type === 'm.login.sso'));
  for (const path of [
    `${v3}/login/sso/redirect?redirectUrl=https://client.test`,
    `${v3}/login/sso/redirect/test?redirectUrl=https://client.test`,
    '/_portico/client/v1/sso/callback/test?state=x&code=y',
    '/_portico/client/v1/sso/continue?login=x',
    '/_portico/client/v1/sso/confirm/test?session=x',
  ]) {
    assert.equal(refusalOf(await server.anonymous.get(path)), '404 M_UNRECOGNIZED', path);
  }
  const alice = await server.registerUser();
  const { body } = await alice.get('/_portico/client/v1/sso/links');
  assert.deepEqual(body, { links: [], providers: [], has_password: true });
});
