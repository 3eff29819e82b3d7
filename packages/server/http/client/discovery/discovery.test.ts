import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';

const server = await startTestServer({ settings: { PUBLIC_BASE_URL: 'https://matrix.example.org:8443/' } });
const alice = await server.registerUser();
after(() => server.close());

test('the versions are listed one by one, to anybody, whatever token they send', async () => {
  const stranger = server.as({ userId: '', deviceId: '', accessToken: 'of another server' });
  for (const client of [server.anonymous, stranger]) {
    const { status, body } = await client.get('/_matrix/client/versions');
    assert.equal(status, 200);
    const versions = body['versions'] as string[];
    for (const version of ['v1.1', 'v1.4', 'v1.11', 'v1.16', 'v1.18', 'v1.19'])
      assert.ok(versions.includes(version), version);
    assert.equal(versions.includes('v1.20'), false);
    const features = body['unstable_features'] as Record<string, boolean>;
    for (const flag of ['uk.tcpip.msc4133.stable', 'org.matrix.simplified_msc3575']) assert.equal(features[flag], true);
  }
});

test('well-known documents name the public address', async () => {
  const { body: client } = await server.anonymous.get('/.well-known/matrix/client');
  assert.deepEqual(client, { 'm.homeserver': { base_url: 'https://matrix.example.org:8443' } });
  const { body: forServers } = await server.anonymous.get('/.well-known/matrix/server');
  assert.deepEqual(forServers, { 'm.server': 'matrix.example.org:8443' });
});

test('whom to turn to is told where the settings say it', async (t) => {
  const path = '/.well-known/matrix/support';
  const { status, body } = await server.anonymous.get(path);
  assert.deepEqual([status, body['errcode']], [404, 'M_NOT_FOUND']);
  const contacts = [
    { matrix_id: '@admin:example.org', role: 'm.role.admin' },
    { email_address: 'security@example.org', role: 'm.role.security' },
  ];
  for (const [settings, answer] of [
    [{ SUPPORT_CONTACTS: JSON.stringify(contacts) }, { contacts }],
    [{ SUPPORT_PAGE: 'https://example.org/help' }, { support_page: 'https://example.org/help' }],
  ] as const) {
    const other = await startTestServer({ settings });
    t.after(() => other.close());
    assert.deepEqual((await other.anonymous.get(path)).body, answer);
  }
});

test('other servers are told nothing where there is no TLS, and the usual port where the address has none', async (t) => {
  for (const [url, status, name] of [
    ['http://localhost:8008', 404, undefined],
    ['https://matrix.example.org', 200, 'matrix.example.org:443'],
  ] as const) {
    const other = await startTestServer({ settings: { PUBLIC_BASE_URL: url } });
    t.after(() => other.close());
    const response = await other.anonymous.get('/.well-known/matrix/server');
    assert.deepEqual([response.status, response.body['m.server']], [status, name]);
  }
});

test('capabilities are for those who are logged in', async () => {
  const path = '/_matrix/client/v3/capabilities';
  assert.equal((await server.anonymous.get(path)).body['errcode'], 'M_MISSING_TOKEN');
  const { capabilities } = (await alice.get(path)).body as {
    capabilities: { 'm.room_versions': { default: string; available: Record<string, string> } } & Record<
      string,
      { enabled?: boolean }
    >;
  };
  const { default: usual, available } = capabilities['m.room_versions'];
  assert.equal(available[usual], 'stable');
  assert.deepEqual(
    Object.keys(available)
      .map(Number)
      .sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  );
  const flags = Object.entries(capabilities).flatMap(([name, value]) =>
    'enabled' in value && value.enabled ? [name] : [],
  );
  assert.deepEqual(flags, [
    'm.change_password',
    'm.set_displayname',
    'm.set_avatar_url',
    'm.profile_fields',
    'm.get_login_token',
  ]);
});

test('the OpenAPI document describes what is served', async () => {
  const { body } = await server.anonymous.get('/_portico/openapi.json');
  type Operation = { operationId: string; parameters: { name: string }[]; security?: unknown };
  const paths = body['paths'] as Record<string, Record<string, Operation>>;
  const operations = Object.values(paths).flatMap((path) => Object.values(path));
  const ids = operations.map(({ operationId }) => operationId);
  assert.equal(body['openapi'], '3.1.0');
  assert.equal(new Set(ids).size, ids.length);
  for (const [path, methods] of Object.entries(paths)) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const { parameters } of Object.values(methods)) {
      const declared = new Set(parameters.map(({ name }) => name));
      for (const name of inPath) assert.ok(declared.has(name ?? ''), `${path}: ${name}`);
    }
  }
  assert.deepEqual(paths['/_matrix/client/v3/login']?.['post']?.security, [{}, { appServiceToken: [] }]);
  assert.deepEqual(paths['/_matrix/client/v3/logout']?.['post']?.security, [{ accessToken: [] }]);
  const text = JSON.stringify(body);
  const schemas = (body['components'] as { schemas: Record<string, { title: string }> }).schemas;
  for (const [, name = ''] of text.matchAll(/#\/components\/schemas\/([^"]+)/g))
    assert.equal(schemas[name]?.title, name);
});
