import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { createTestWeb, publicAddress, startSite } from '@portico/testkit/web.ts';
import pino from 'pino';
import type { IdentityProvider } from '../../config/identity-provider.ts';
import { createOutbound } from '../outbound/outbound.ts';
import { createOidcClient } from './oidc-client.ts';

const discovery = '/.well-known/openid-configuration';
const proof = { state: 'a state', nonce: 'a nonce', verifier: 'v'.repeat(43) };
const failed = { reason: 'sso.provider-failed' };

function open(context: TestContext, issuer: string, { time = { now: 0 }, names = [] as readonly string[] } = {}) {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  const outbound = createOutbound({
    network: createTestWeb(Object.fromEntries(names.map((name) => [name, [publicAddress, publicAddress]]))),
    allowPrivateAddresses: false,
    trustedCaFile: undefined,
    userAgent: 'Portico/test',
  });
  context.after(() => outbound.close());
  const provider: IdentityProvider = {
    id: 'test',
    name: 'Test',
    icon: undefined,
    brand: undefined,
    issuer,
    clientId: 'portico',
    clientSecret: 'the secret',
    scopes: ['openid'],
    claims: { localpart: 'preferred_username', displayName: 'name', email: 'email' },
    requiredClaims: new Map(),
    newAccounts: 'everybody',
    adoptsAccounts: false,
    endsSessions: false,
  };
  const callbackUrl = 'https://matrix.test/callback';
  const client = createOidcClient({ provider, callbackUrl, outbound, log, now: () => time.now });
  return { client, lines };
}

function json(answer: object, status = 200) {
  return (_request: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

const metadataOf = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
});

test('nobody is taken for a provider whose name is another one, as whose some would be known', async (context) => {
  for (const host of ['provider.example', 'tenant.b2clogin.com']) {
    let issuer = '';
    const site = await startSite(context, {
      [discovery]: (request, response) =>
        json({ ...metadataOf(issuer), issuer: 'http://evil.example' })(request, response),
    });
    issuer = `http://${host}:${site.port}`;
    const { client, lines } = open(context, issuer, { names: [host] });
    await assert.rejects(client.authorizationUrl(proof, 'log-in'), failed, host);
    assert.deepEqual(site.asked, [discovery]);
    assert.equal(lines.length, 1);
  }
});

test('the log tells what kind of failure it was, and nothing that was said', async (context) => {
  const site = await startSite(context, {
    [discovery]: (request, response) => json(metadataOf(issuer))(request, response),
    '/token': json({ error: 'invalid_client', error_description: 'the secret was wrong' }, 401),
  });
  const issuer = `http://provider.example:${site.port}`;
  const { client, lines } = open(context, issuer);
  const query = `state=${encodeURIComponent(proof.state)}&code=the+code`;
  await assert.rejects(client.redeem(query, proof), failed);
  await assert.rejects(client.redeem('error=access_denied', proof), { reason: 'sso.denied' });
  await assert.rejects(client.redeem('error=the+secret', proof), { reason: 'sso.denied' });
  const nowhere = open(context, 'http://localhost:9');
  await assert.rejects(nowhere.client.authorizationUrl(proof, 'log-in'), failed);
  await assert.rejects(nowhere.client.readLogoutToken('a token'), failed);
  const told = [...lines, ...nowhere.lines];
  assert.deepEqual(
    told.map(({ provider, reason, code, failure, said }) => ({ provider, reason, code, failure, said })),
    [
      {
        provider: 'test',
        reason: 'ResponseBodyError',
        code: 'OAUTH_RESPONSE_BODY_ERROR',
        failure: undefined,
        said: 'invalid_client',
      },
      { provider: 'test', reason: undefined, code: undefined, failure: undefined, said: 'access_denied' },
      { provider: 'test', reason: undefined, code: undefined, failure: undefined, said: 'unknown' },
      { provider: 'test', reason: 'ClientError', code: undefined, failure: 'unreachable', said: undefined },
      { provider: 'test', reason: 'ClientError', code: undefined, failure: 'unreachable', said: undefined },
    ],
  );
  assert.deepEqual(
    nowhere.lines.map(({ msg }) => msg),
    ['a login by way of another service failed', 'a logout by another service failed'],
  );
  assert.doesNotMatch(JSON.stringify(told), /the secret|the code|a state|vvv/);
});

test('what a provider says of itself is asked anew after a failure, once a minute, and else once an hour', async (context) => {
  const site = await startSite(context, {
    [discovery]: (request, response) => json(metadataOf(issuer))(request, response),
    '/token': json({ error: 'invalid_grant' }, 400),
  });
  const issuer = `http://provider.example:${site.port}`;
  const time = { now: 1_700_000_000_000 };
  const { client } = open(context, issuer, { time });
  const asked = () => site.asked.filter((path) => path === discovery).length;
  const query = `state=${encodeURIComponent(proof.state)}&code=x`;
  const begin = () => client.authorizationUrl(proof, 'log-in');
  await begin();
  await assert.rejects(client.redeem(query, proof), failed);
  await begin();
  assert.equal(asked(), 1);
  time.now += 61_000;
  await begin();
  assert.equal(asked(), 1);
  await assert.rejects(client.redeem(query, proof), failed);
  await begin();
  assert.equal(asked(), 2);
  time.now += 59 * 60_000;
  await begin();
  assert.equal(asked(), 2);
  time.now += 2 * 60_000;
  await begin();
  assert.equal(asked(), 3);
});
