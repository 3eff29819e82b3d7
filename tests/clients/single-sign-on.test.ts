import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newSubject, startSsoServer, trustedAddress } from '@portico/testkit/sso-server.ts';
import { bareClient } from './person.ts';

test('matrix-js-sdk finds the providers, the way to one of them, and logs in with the token that comes of it', async (context) => {
  const sso = await startSsoServer({ providers: [{ id: 'test', brand: 'github' }, { id: 'other' }] });
  context.after(() => sso.close());
  const client = bareClient(sso.base);
  const { flows } = await client.loginFlows();
  const flow = flows.find(({ type }) => type === 'm.login.sso');
  assert.deepEqual(flow, {
    type: 'm.login.sso',
    identity_providers: [
      { id: 'test', name: 'Provider <test>', brand: 'github' },
      { id: 'other', name: 'Provider <other>' },
    ],
  });
  sso.idp.person = { sub: newSubject(), preferred_username: newSubject() };
  const shown = await sso.newBrowser().open(client.getSsoLoginUrl(trustedAddress, 'sso', 'test'));
  const session = await client.loginRequest({ type: 'm.login.token', token: sso.tokenIn(shown) });
  assert.equal(session.user_id, `@${String(sso.idp.person['preferred_username'])}:localhost`);
  assert.match(
    (await sso.newBrowser().open(client.getSsoLoginUrl(trustedAddress))).html,
    /Where do you want to log in/,
  );
  const fallback = client.getFallbackAuthUrl('m.login.sso', 'a session');
  assert.match((await sso.newBrowser().open(fallback)).html, /This does not work/);
  assert.deepEqual(sso.server.errors, []);
});
