import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestBridge } from '@portico/testkit/bridge.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { Create } from 'typebox/value';
import type { TSchema } from 'typebox';
import { adminEndpoints } from './admin/index.ts';
import { rawBody } from './bytes.ts';
import { clientEndpoints } from './client/index.ts';
import { oauthEndpoints } from './client/oauth/index.ts';
import { rendezvousEndpoints } from './client/rendezvous/index.ts';
import type { AuthKind, Declaration } from './endpoint.ts';
import { federationEndpoints, roomFederationEndpoints } from './federation/index.ts';
import { isAllOptional } from './optional-body.ts';

const bridge = await startTestBridge();
const server = await startTestServer({
  settings: {
    OAUTH_ENABLED: 'true',
    APPLICATION_SERVICES: JSON.stringify([bridge.file]),
    LISTENERS: JSON.stringify([{ address: '127.0.0.1', port: 0, serve: ['client', 'federation', 'admin'] }]),
  },
});
const alice = await server.registerUser('alice');
const admin = await registerAdmin(server, 'admin');
const room = String((await alice.post('/_matrix/client/v3/createRoom', {})).body['room_id']);
after(async () => {
  await server.close();
  await bridge.close();
});

const tokens: Readonly<Partial<Record<AuthKind, string>>> = {
  optional: alice.accessToken,
  anyone: alice.accessToken,
  user: alice.accessToken,
  admin: admin.accessToken,
  'app-service': bridge.asToken,
};
const declarations: readonly Declaration[] = [
  ...clientEndpoints,
  ...oauthEndpoints,
  ...rendezvousEndpoints,
  ...adminEndpoints,
  ...federationEndpoints,
  ...roomFederationEndpoints,
].map(({ declaration }) => declaration);

// Whatever administrators do to people, deactivating them included, they do to somebody else.
const moderated = (await server.registerUser('moderated')).userId;

function pathsOf({ path, unstablePaths = [], auth }: Declaration): readonly string[] {
  const userId = auth === 'admin' ? moderated : alice.userId;
  const segments: Readonly<Record<string, string>> = { roomId: room, roomIdOrAlias: room, userId };
  return [path, ...unstablePaths].map((each) =>
    each.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(segments[name] ?? 'x')),
  );
}

function urlOf(declaration: Declaration): string {
  const { properties = {}, required = [] } = declaration.query ?? {};
  const query = new URLSearchParams(
    (required as readonly string[]).map((name) => [name, String(Create(properties[name] as TSchema))]),
  );
  return `${pathsOf(declaration)[0]}?${query.toString()}`;
}

type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly errcode?: unknown; readonly error?: unknown; readonly flows?: unknown };
};

async function call(method: string, path: string, token?: string, body?: string): Promise<Answer> {
  const response = await fetch(server.baseUrl + path, {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body }),
  });
  assertForBrowsers(response.headers);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as object) };
}

/** {@link https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients} */
function assertForBrowsers(headers: Headers): void {
  assert.equal(headers.get('access-control-allow-origin'), '*');
  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
    assert.match(headers.get('access-control-allow-methods') ?? '', new RegExp(`\\b${method}\\b`));
  }
  for (const header of ['X-Requested-With', 'Content-Type', 'Authorization']) {
    assert.match(headers.get('access-control-allow-headers') ?? '', new RegExp(`\\b${header}\\b`));
  }
}

function assertRefused({ status, body }: Answer, expected: number, ...errcodes: readonly string[]): void {
  assert.ok(errcodes.includes(String(body.errcode)), `${String(body.errcode)} (${String(body.error)})`);
  assert.equal(status, expected);
  assert.equal(typeof body.error, 'string');
}

const usual = (declaration: Declaration) => `${declaration.method} ${declaration.path}`;

describe('every path', () => {
  for (const declaration of declarations) {
    test(`answers a browser's preflight, and refuses methods it does not have: ${usual(declaration)}`, async () => {
      for (const path of pathsOf(declaration)) {
        const preflight = await call('OPTIONS', path);
        assert.equal(preflight.status, 204);
        // No endpoint has this method.
        const refused = await call('PATCH', path, alice.accessToken, '{broken');
        assertRefused(refused, 405, 'M_UNRECOGNIZED');
        assert.ok(refused.headers.get('allow')?.split(', ').includes(declaration.method));
      }
    });
  }
  test('that is none is refused, whatever the method', async () => {
    for (const path of ['/', '/_matrix', '/_matrix/client/v3/nothing', '/_matrix/federation/v9/x', '/_synapse/x']) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
        assertRefused(await call(method, path, alice.accessToken), 404, 'M_UNRECOGNIZED');
      }
      assert.equal((await call('OPTIONS', path)).status, 204);
    }
  });
});

describe('what is not for everybody is refused to those without the right token', () => {
  for (const declaration of declarations) {
    const { auth, method } = declaration;
    if (auth === 'none' || auth === 'optional' || auth === 'anyone' || auth === 'optional-app-service') continue;
    test(usual(declaration), async () => {
      const url = urlOf(declaration);
      if (auth === 'server') return assertRefused(await call(method, url), 401, 'M_UNAUTHORIZED');
      assertRefused(await call(method, url), 401, 'M_MISSING_TOKEN');
      assertRefused(await call(method, url, 'of another server'), 401, 'M_UNKNOWN_TOKEN');
      if (auth === 'user') return;
      assertRefused(await call(method, url, alice.accessToken), 403, 'M_FORBIDDEN');
    });
  }
});

describe('a body', () => {
  for (const declaration of declarations) {
    const { auth, method, body } = declaration;
    if (body === undefined || body === rawBody || auth === 'server') continue;
    const send = (text?: string) => call(method, urlOf(declaration), tokens[auth], text);
    const { required = [], properties = {} } = body as { required?: readonly string[]; properties?: object };
    const optional = Object.keys(properties).filter((field) => !required.includes(field));

    if (optional.length > 0) {
      test(`may have null for what may be left out: ${usual(declaration)}`, async () => {
        const fields = Object.fromEntries(optional.map((field) => [field, null]));
        const sent = JSON.stringify({ ...(Create(body) as object), ...fields });
        const { error } = (await send(sent)).body;
        for (const field of optional) assert.ok(!String(error).startsWith(`${field}: must be`), String(error));
      });
    }
    test(`must be an object in JSON: ${usual(declaration)}`, async () => {
      for (const text of ['{', 'nonsense', '{"a":1}x']) assertRefused(await send(text), 400, 'M_NOT_JSON');
      for (const text of ['[]', '"text"', '1', 'true']) assertRefused(await send(text), 400, 'M_BAD_JSON');
    });
    if (isAllOptional(body)) {
      test(`may be left out: ${usual(declaration)}`, async () => {
        for (const text of [undefined, '', '{}']) {
          const { errcode } = (await send(text)).body;
          assert.ok(errcode !== 'M_NOT_JSON', `${text}: ${String(errcode)}`);
        }
      });
      continue;
    }
    test(`may not be left out: ${usual(declaration)}`, async () => {
      for (const text of [undefined, '']) assertRefused(await send(text), 400, 'M_NOT_JSON');
    });
    for (const field of required) {
      test(`may not lack ${field}: ${usual(declaration)}`, async () => {
        const { [field]: _, ...rest } = Create(body) as Record<string, unknown>;
        assertRefused(await send(JSON.stringify(rest)), 400, 'M_MISSING_PARAM');
      });
    }
  }

  const rules = '/_matrix/client/v3/pushrules/global/override';
  for (const path of [
    `${rules}/mine`,
    `${rules}/.m.rule.master/enabled`,
    `${rules}/.m.rule.master/actions`,
    `/_matrix/client/v3/profile/${encodeURIComponent(alice.userId)}/displayname`,
  ]) {
    test(`may not lack what its path asks for: PUT ${path}`, async () => {
      assertRefused(await call('PUT', path, alice.accessToken, '{}'), 400, 'M_MISSING_PARAM', 'M_BAD_JSON');
    });
  }
});

test('none of this is a defect', () => assert.deepEqual(server.errors, []));
