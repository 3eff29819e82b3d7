import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { appUri, callback, oauthPath, type OAuthServer, startOAuthServer } from '@portico/testkit/oauth-server.ts';

const endpoints = ['token', 'revoke', 'device'] as const;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`what makes no sense to OAuth 2.0 (${engine})`, () => {
    let oauth: OAuthServer;
    let clientId: string;
    before(async () => {
      oauth = await startOAuthServer({ engine });
      clientId = await oauth.registerClient();
    });
    after(async () => {
      await oauth.close();
      assert.deepEqual(oauth.server.errors, []);
    });

    async function errorOf(path: string, body: string | Uint8Array<ArrayBuffer>, type: string): Promise<string> {
      const url = `${oauth.base}${oauthPath}/${path}`;
      const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': type } });
      assert.equal(response.headers.get('access-control-allow-origin'), '*', 'apps in browsers read it');
      const { error } = (await response.json()) as { error?: unknown };
      return `${response.status} ${String(error)}`;
    }

    test('programs are told so in the words that they know', async () => {
      const form = 'application/x-www-form-urlencoded';
      for (const path of endpoints) {
        const client = `client_id=${clientId}`;
        for (const [body, type] of [
          [client, form],
          [`${client}&x=${'x'.repeat(2_000_000)}`, form],
          [`${client}&scope=%00&token=%00&grant_type=%00`, form],
          [`${client}&${client}&token=a&token=b&grant_type=a`, form],
          [`${client}&scope=&token=&grant_type=`, form],
          [Uint8Array.from([0xff, 0xfe, 0x3d, 0x00]), 'multipart/form-data; boundary=x'],
        ] as const) {
          const error = await errorOf(path, body, type);
          assert.equal(error, '400 invalid_request', `${path}: ${String(body).slice(0, 80)}`);
        }
      }
      const asJson = JSON.stringify({ client_id: clientId, grant_type: 'refresh_token', refresh_token: 'x' });
      assert.equal(await errorOf('token', asJson, 'application/json'), '400 invalid_request');
      for (const grant of ['__proto__', 'constructor', 'implicit', '%ED%A0%80']) {
        assert.equal(await errorOf('token', `grant_type=${grant}&client_id=x`, form), '400 unsupported_grant_type');
      }
      for (const id of ['__proto__', '%ED%A0%80', 'x'.repeat(5000)]) {
        assert.equal(await errorOf('device', `client_id=${id}&scope=x`, form), '401 invalid_client');
      }
    });

    test('a client that registers with anything but an object of what is known is told so as well', async () => {
      const known = { client_uri: appUri, redirect_uris: [callback] };
      for (const body of [
        '',
        'x',
        '{',
        'null',
        '1',
        '"x"',
        '[]',
        '{}',
        `[${JSON.stringify(known)}]`,
        '['.repeat(20_000),
        `{"x":${'['.repeat(100)}${']'.repeat(100)}}`,
        JSON.stringify({ ...known, x: 'x'.repeat(40_000) }),
        `{"__proto__": ${JSON.stringify(known)}}`,
        JSON.stringify({ ...known, client_uri: 1 }),
        JSON.stringify({ ...known, client_name: '\ud800' }),
        JSON.stringify({ ...known, client_name: 'a\0b' }),
        JSON.stringify({ ...known, grant_types: 'authorization_code' }),
        JSON.stringify({ ...known, response_types: [['code']] }),
        JSON.stringify({ ...known, application_type: { toString: 'web' } }),
        JSON.stringify({ ...known, token_endpoint_auth_method: 'client_secret_basic' }),
      ]) {
        const error = await errorOf('clients', body, 'application/json');
        assert.equal(error, '400 invalid_client_metadata', body.slice(0, 100));
      }
      for (const uris of [{ length: 1 }, [[callback]], ['https:app.test/x'], Array<string>(17).fill(callback)]) {
        const body = JSON.stringify({ ...known, redirect_uris: uris });
        assert.equal(await errorOf('clients', body, 'application/json'), '400 invalid_redirect_uri', body);
      }
    });

    test('pages say so to people, and are for no script of a page elsewhere', async () => {
      const paths = [
        `${oauthPath}/authorize?client_id=made-up`,
        oauth.newRequest(clientId).url.slice(oauth.base.length),
        oauth.newRequest(clientId, { scope: 'x' }).url.slice(oauth.base.length),
        ...['login', 'register', 'consent', 'back'].map((step) => `${oauthPath}/${step}?request=x`),
        '/_portico/link',
      ];
      for (const path of paths) {
        for (const method of ['GET', 'POST']) {
          if (method === 'POST' && /authorize|back/.test(path)) continue;
          const { status, headers } = await fetch(oauth.base + path, { method, redirect: 'manual' });
          assert.ok(status < 500, path);
          assert.match(headers.get('content-type') ?? '', /^text\/html/, path);
          // "CORS MUST NOT be supported at the authorization endpoint" (RFC 9700, section 2.6).
          assert.equal(headers.get('access-control-allow-origin'), null, `${method} ${path}`);
        }
      }
    });
  });
}
