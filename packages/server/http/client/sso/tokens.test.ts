import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { forgersPublicKey, hmacToken, logInWithForged, signedToken, tokenOf } from '@portico/testkit/forged-answers.ts';
import { newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';

const failed = /does not answer, or not as it should/;

describe('tokens of a provider', () => {
  let sso: SsoServer;
  before(async () => {
    sso = await startSsoServer({ providers: [{ required_claims: {} }] });
  });
  after(async () => {
    await sso.close();
    assert.deepEqual(sso.server.errors, []);
  });
  const now = Math.floor(Date.now() / 1000);

  async function assertRefused(answers: Parameters<typeof logInWithForged>[1], name: string): Promise<void> {
    const shown = await logInWithForged(sso, answers);
    assert.equal(shown.status, 502, `${name}: ${shown.status} ${shown.url} ${shown.html}`);
    assert.match(shown.html, failed, name);
  }

  /** What others see of them can be stored and signed. */
  async function assertHarmless(token: string, name: string): Promise<void> {
    const { userId, get } = await sso.logInByToken(token);
    const { displayname = '' } = (await get(`/_matrix/client/v3/profile/${encodeURIComponent(userId)}`)).body;
    assert.ok(String(displayname).isWellFormed() && String(displayname).length <= 256, name);
  }

  test('get somebody in who they are about', async () => {
    const sub = newSubject();
    const shown = await logInWithForged(sso, { claims: { sub, preferred_username: sub } });
    assert.equal((await sso.logInByToken(sso.tokenIn(shown))).userId, `@${sub}:localhost`);
  });

  test('are refused unless they are signed, by the issuer, with what it alone has', async () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const weakJwk = { ...weak.publicKey.export({ format: 'jwk' }), kid: 'weak', use: 'sig' };
    for (const [name, toToken] of Object.entries({
      'no algorithm': (claims: unknown) => tokenOf({ alg: 'none' }, claims, () => Buffer.alloc(0)),
      'none in capitals': (claims: unknown) => tokenOf({ alg: 'NONE' }, claims, () => Buffer.alloc(0)),
      'the secret of the client': (claims: unknown) => hmacToken(claims, sso.idp.clientSecret),
      'the public key as a secret': (claims: unknown) => hmacToken(claims, forgersPublicKey),
      'another key': (claims: unknown) => signedToken(claims, undefined, other),
      'a key of no such name': (claims: unknown) => signedToken(claims, { alg: 'RS256', kid: 'unknown' }),
      'a key of its own': (claims: unknown) =>
        signedToken(claims, { alg: 'RS256', jwk: other.export({ format: 'jwk' }) }, other),
      'what must be understood': (claims: unknown) =>
        signedToken(claims, { alg: 'RS256', kid: 'of-the-test', crit: ['exp'] }),
      'no signature': (claims: unknown) => tokenOf({ alg: 'RS256', kid: 'of-the-test' }, claims, () => Buffer.alloc(0)),
      'no token': () => 'a.b',
      'five parts': () => 'a.b.c.d.e',
    })) {
      await assertRefused({ toToken }, name);
    }
    await assertRefused(
      { toToken: (claims) => signedToken(claims, { alg: 'RS256', kid: 'weak' }, weak.privateKey), keys: [weakJwk] },
      'a weak key',
    );
  });

  test('are refused that are of somebody else, for somebody else, over, or of another login', async () => {
    for (const claims of [
      { iss: 'https://evil.test' },
      { iss: undefined },
      { iss: [sso.idp.issuer] },
      { aud: 'another client' },
      { aud: undefined },
      { aud: ['another client'] },
      { aud: ['portico', 'another client'] },
      { aud: ['portico', 'another client'], azp: 'another client' },
      { exp: now - 60 },
      { exp: undefined },
      { exp: 'tomorrow' },
      { iat: 'today' },
      { nbf: now + 300 },
      { nonce: 'of another login' },
      { nonce: undefined },
      { sub: undefined },
      { sub: '' },
      { sub: 12 },
      { sub: { $ne: 'x' } },
      { sub: ['somebody'] },
      { sub: null },
      { sub: 'a\0b' },
      { sub: ' a' },
      { sub: 'ä' },
      { sub: 'x'.repeat(256) },
      { sub: 'x'.repeat(10_000) },
    ]) {
      await assertRefused({ claims }, JSON.stringify(claims));
    }
  });

  test('may say what they like of the person: what is of no use is not taken', async () => {
    const strange: readonly unknown[] = [
      null,
      true,
      12,
      1e300,
      -1,
      [],
      {},
      [[]],
      ['a', 'b'],
      { a: 'b' },
      '',
      ' ',
      '\0',
      'a\0b',
      '\ud800',
      'a\udfff',
      '__proto__',
      'constructor',
      `${'x'.repeat(255)}😀`,
      'x'.repeat(100_000),
      '\u202e\u200b',
      '@a:localhost',
      'a:b',
      '../..',
      "'; drop table accounts; --",
    ];
    for (const value of strange) {
      for (const claim of ['preferred_username', 'name', 'email']) {
        const sub = newSubject();
        const userInfo = { sub, preferred_username: sub, email_verified: true, [claim]: value };
        const shown = await logInWithForged(sso, { claims: { sub }, userInfo });
        const name = `${claim} ${JSON.stringify(value).slice(0, 50)}: ${shown.status} ${shown.html}`;
        assert.ok(shown.status === 0 || shown.status === 200, name);
        if (shown.status === 200) assert.match(shown.html, /What do you want to be called/, name);
        else await assertHarmless(sso.tokenIn(shown), name);
      }
    }
  });
});
