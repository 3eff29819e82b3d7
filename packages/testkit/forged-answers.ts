import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { isCallback, type SsoServer } from './sso-server.ts';
import type { Shown } from './cookie-browser.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const kid = 'of-the-test';

/** The key of a provider whose answers a test writes. */
export const forgersKey: KeyObject = privateKey;
export const forgersPublicKey = publicKey.export({ type: 'spki', format: 'pem' });

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token as text. `sign` gives its signature, of what comes before it. */
export function tokenOf(header: object, claims: unknown, sign: (signed: string) => Buffer): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${sign(signed).toString('base64url')}`;
}

export function signedToken(claims: unknown, header: object = { alg: 'RS256', kid }, key = forgersKey): string {
  return tokenOf(header, claims, (signed) => createSign('RSA-SHA256').update(signed).sign(key));
}

export function hmacToken(claims: unknown, secret: string): string {
  return tokenOf({ alg: 'HS256', kid }, claims, (signed) => createHmac('sha256', secret).update(signed).digest());
}

type Answers = {
  /** What the token says of the person, on top of what it takes; what is `undefined` is left out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Makes the token of its claims. */
  readonly toToken?: (claims: Readonly<Record<string, unknown>>) => string;
  /** What is said of the person when they are asked for; the token's `sub` alone, if absent. */
  readonly userInfo?: unknown;
  readonly keys?: readonly object[];
};

/**
 * Goes the whole way of a login, at a provider that answers as the test says instead of as it should: what the browser shows
 * in the end.
 */
export async function logInWithForged(sso: SsoServer, answers: Answers, way = sso.redirectOf()): Promise<Shown> {
  const browser = sso.newBrowser((url) => url.startsWith(`${sso.idp.issuer}/auth`) || isCallback(url));
  const asked = new URL((await browser.open(way)).url);
  answerForged(sso, asked, answers);
  try {
    const back = new URL(asked.searchParams.get('redirect_uri') ?? '');
    back.searchParams.set('state', asked.searchParams.get('state') ?? '');
    back.searchParams.set('code', 'a code');
    back.searchParams.set('iss', sso.idp.issuer);
    const going = sso.newBrowser();
    going.keep(sso.base, new Headers([...cookiesOf(browser, sso.base)].map((text) => ['set-cookie', text])));
    return await going.open(back.href);
  } finally {
    sso.idp.intercept = undefined;
  }
}

function cookiesOf(browser: ReturnType<SsoServer['newBrowser']>, origin: string): string[] {
  return [...(browser.cookies.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`);
}

/** From now on the provider answers as the test says, to whoever was led to it with this address. */
export function answerForged(
  sso: SsoServer,
  asked: URL,
  { claims, toToken = signedToken, userInfo, keys }: Answers,
): void {
  const now = Math.floor(Date.now() / 1000);
  const all = {
    iss: sso.idp.issuer,
    aud: sso.idp.clientId,
    sub: 'somebody',
    iat: now,
    exp: now + 300,
    nonce: asked.searchParams.get('nonce') ?? '',
    ...claims,
  };
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' };
  const given: Readonly<Record<string, unknown>> = {
    '/token': { access_token: 'a token', token_type: 'bearer', expires_in: 60, id_token: toToken(all) },
    '/jwks': { keys: keys ?? [jwk] },
    '/me': userInfo ?? { sub: all.sub },
  };
  sso.idp.intercept = (request, response: ServerResponse) => {
    const answer = given[request.url?.split('?', 1)[0] ?? ''];
    if (answer === undefined) return false;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    return true;
  };
}
