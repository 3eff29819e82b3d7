import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { ConfigError, loadConfig } from './load.ts';
import type { ConfigSources } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'portico-config-'));
after(() => rmSync(folder, { recursive: true }));

function fileWith(content: string): string {
  const file = join(folder, 'portico.yaml');
  writeFileSync(file, content);
  return file;
}

function load(content: string, sources: ConfigSources = {}) {
  return loadConfig({ environment: {}, ...sources, file: fileWith(content) });
}

/** The problems of a configuration, with the name of the file cut short. */
async function problemsOf(content: string, sources: ConfigSources = {}): Promise<readonly string[]> {
  try {
    await load(content, sources);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map((problem) => problem.replaceAll(`${folder}/`, ''));
  }
  return [];
}

suite('a configuration', () => {
  test('without anything has the documented defaults', async () => {
    const config = await loadConfig({ environment: {} });
    assert.equal(config.serverName, 'localhost');
    assert.equal(config.publicBaseUrl, 'http://localhost:8008');
    assert.equal(config.dataDir, join(process.cwd(), 'data'));
    const path = join(process.cwd(), 'data/portico.db');
    assert.deepEqual(config.database, { kind: 'sqlite', path, url: `sqlite:${path}` });
    const serve = ['client', 'federation', 'admin', 'web'];
    assert.deepEqual(config.listeners, [{ address: '127.0.0.1', port: 8008, serve }]);
    assert.deepEqual(config.passwords, { argon2: { memory: 19 * 1024 * 1024, passes: 2 } });
    assert.equal(config.media.maxUploadSize, 100_000_000);
  });

  test('is read with everything that its documentation shows', async () => {
    for (const name of ['cert.pem', 'key.pem', 'ca.pem']) writeFileSync(join(folder, name), '');
    mkdirSync(join(folder, 'bridges'));
    const config = await load(`
server_name: example.org
public_base_url: https://example.org/
data_dir: ./there
database: postgres://user:pass@host:5432/db
listeners:
  - { address: 127.0.0.1, port: 8008, serve: [client, federation, admin, web] }
  - { address: "::1", port: 8448, serve: [federation, client], tls: { certificate: cert.pem, key: key.pem } }
  - { address: 127.0.0.1, port: 9090, serve: [metrics] }
registration: { mode: open, shared_secret: 0123 }
rate_limits: { enabled: false }
federation: { enabled: true }
outbound: { trusted_ca_file: ca.pem, allow_private_addresses: true }
privacy:
  presence: { default: {}, overrides: { denied_users: ["@*:evil.example"] }, unaware_servers: withhold }
  invites: { default_action: block }
application_services: [ bridges ]
rooms: { default_version: 11, publication: anyone }
media: { require_authentication: false, max_upload_size: 1.5GB }
passwords: { argon2: { memory: 1MiB, passes: 1 } }
url_previews: { enabled: true, deny_hosts: ["*.internal.example"], accept_language: "de, en;q=0.5" }
presence: { enabled: false }
log: { level: warn, format: json }
durability: relaxed
`);
    assert.equal(config.publicBaseUrl, 'https://example.org');
    assert.equal(config.dataDir, join(folder, 'there'));
    assert.deepEqual(config.database, { kind: 'postgres', url: 'postgres://user:pass@host:5432/db' });
    assert.equal(config.listeners[1]?.tls?.certificate, join(folder, 'cert.pem'));
    assert.equal(config.registration.sharedSecret, '0123', 'digits stay as they were written');
    assert.equal(config.rooms.defaultVersion, '11', 'a version without quotes is understood');
    assert.equal(config.media.maxUploadSize, 1_500_000_000);
    assert.deepEqual(config.privacy.presence.overrides, { denied_users: ['@*:evil.example'] });
    assert.deepEqual(config.applicationServices, []);
    assert.equal(config.urlPreviews.enabled, true);
    assert.deepEqual(config.urlPreviews.denyHosts, ['*.internal.example']);
  });

  test('is frozen all the way down', async () => {
    const config = await load('log: { level: warn }');
    assert.throws(() => Object.assign(config.log, { level: 'info' }), TypeError);
    assert.throws(() => Object.assign(config.listeners[0] ?? {}, { port: 1 }), TypeError);
  });

  test('counts empty settings and sections as not given', async () => {
    const config = await load('registration:\n  shared_secret:\nlog:\n');
    assert.equal(config.registration.sharedSecret, undefined);
    assert.equal(config.log.level, 'info');
  });

  test('tells clients the address of the first listener that serves them', async () => {
    const config = await load(`listeners:
  - { address: 127.0.0.1, port: 9090, serve: [metrics] }
  - { address: "2001:db8::1", port: 8080, serve: [client] }`);
    assert.equal(config.publicBaseUrl, 'http://[2001:db8::1]:8080');
  });
});

suite('precedence:', () => {
  const file = 'registration:\n  mode: token\n  shared_secret: from-file\n';

  test('the environment wins over the file, setting by setting', async () => {
    const config = await load(file, { environment: { PORTICO_REGISTRATION_MODE: 'open', HOME: '/' } });
    assert.deepEqual(config.registration, { mode: 'open', sharedSecret: 'from-file', requireEmail: false });
  });

  test('the command line wins over both', async () => {
    const environment = { PORTICO_REGISTRATION_MODE: 'open' };
    const config = await load(file, { environment, flags: new Map([['registration-mode', 'closed']]) });
    assert.equal(config.registration.mode, 'closed');
  });

  test('lists, objects and whole sections come as JSON', async () => {
    const config = await load(file, {
      environment: {
        PORTICO_LISTENERS: '[{"address":"127.0.0.2","port":1,"serve":["client"]}]',
        PORTICO_PASSWORDS: '{"argon2":{"memory":"1MiB"}}',
        PORTICO_PASSWORDS_ARGON2_PASSES: '1',
        PORTICO_PRIVACY_INVITES: '{"enabled":true}',
      },
    });
    assert.equal(config.listeners[0]?.address, '127.0.0.2');
    assert.deepEqual(config.passwords.argon2, { memory: 1024 * 1024, passes: 1 });
    assert.deepEqual(config.privacy.invites, { enabled: true });
  });

  test('an empty variable counts as not set', async () => {
    const config = await load(file, { environment: { PORTICO_REGISTRATION_MODE: '' } });
    assert.equal(config.registration.mode, 'token');
  });

  test('variables of tests and of container platforms are not settings', async () => {
    const environment = {
      PORTICO_TEST_POSTGRES: 'x',
      PORTICO_PORT_8008_TCP: 'tcp://10.0.0.1:8008',
      PORTICO_SERVICE_HOST: 'x',
    };
    assert.equal((await load('', { environment })).serverName, 'localhost');
  });
});

suite('what is wrong is said with its place, its value and what to do:', () => {
  const cases: readonly [what: string, content: string, problem: string][] = [
    [
      'a value that is none of the choices',
      'log:\n  level: info\nregistration:\n  mode: opened\n',
      'portico.yaml:4: registration.mode is "opened": it must be one of closed, token, open',
    ],
    [
      'an unknown setting, with the nearest known name',
      'server_nam: a.org\n',
      'portico.yaml:1: server_nam is not a setting; the nearest one is server_name',
    ],
    [
      'a setting in the wrong section',
      'shared_secret: abc\n',
      'portico.yaml:1: shared_secret is not a setting; the nearest one is registration.shared_secret',
    ],
    [
      'an unknown field of an object in a list',
      'listeners:\n  - address: 127.0.0.1\n    port: 1\n    serves: [client]\n    serve: [client]\n',
      'portico.yaml:4: listeners[0].serves is not a setting; the nearest one is listeners[0].serve',
    ],
    [
      'a rule that is against nobody',
      'privacy:\n  presence:\n    overrides:\n      denied_users: [evil.example]\n',
      'portico.yaml:4: privacy.presence.overrides.denied_users[0] is "evil.example": it must be a user ID such as ' +
        '@mallory:evil.example, a pattern of them such as @*:evil.example, or a room ID',
    ],
    [
      'an invite rule that is against nobody',
      'privacy:\n  invites: { blocked_users: [evil.example] }\n',
      'portico.yaml:2: privacy.invites.blocked_users[0] is "evil.example": it must be a user ID such as ' +
        '@mallory:evil.example, or a pattern of them such as @*:evil.example',
    ],
    [
      'a server in an invite rule that is none',
      'privacy:\n  invites: { blocked_servers: ["evil.example:8448"] }\n',
      'portico.yaml:2: privacy.invites.blocked_servers[0] is "evil.example:8448": it must be a server name without its port ' +
        'such as evil.example, or a pattern of them such as *.evil.example',
    ],
    [
      'a missing field',
      'listeners:\n  - address: 127.0.0.1\n    port: 1\n',
      'portico.yaml:2: listeners[0].serve is missing: it must be a list, each one of client, federation, admin, web, metrics',
    ],
    [
      'a number out of range',
      'passwords: { argon2: { passes: 0 } }\n',
      'portico.yaml:1: passwords.argon2.passes is 0: it must be a whole number from 1 to 100',
    ],
    [
      'a size without sense',
      'media:\n  max_upload_size: 100 parsecs\n',
      'portico.yaml:2: media.max_upload_size is "100 parsecs": it must be a size such as 100MB or 19MiB, from 1KB to 1TB',
    ],
    [
      'a section that is none',
      'log: debug\n',
      'portico.yaml:1: log is "debug": it must be a section with level, format',
    ],
    [
      'a server name that is an address',
      'server_name: https://a.org\n',
      'portico.yaml:1: server_name is "https://a.org": it must be a server name such as example.org, without https://',
    ],
    [
      'a database address, without its password',
      'database: mysql://root:hunter2@localhost/x\n',
      'portico.yaml:1: database is "mysql://root:…@localhost/x": it must be sqlite:PATH or postgres://user:password@host:5432/database',
    ],
    [
      'a secret, without the secret',
      'registration: { shared_secret: [hunter2] }\n',
      'portico.yaml:1: registration.shared_secret is (not shown): it must be text',
    ],
    [
      'two listeners on one port',
      'listeners:\n- {address: 127.0.0.1, port: 1, serve: [client]}\n- {address: 127.0.0.1, port: 1, serve: [admin]}\n',
      'portico.yaml:3: listeners[1] is 127.0.0.1:1, which an earlier listener has already',
    ],
    [
      'metrics where the world looks',
      'listeners:\n- {address: 127.0.0.1, port: 1, serve: [client, metrics]}\n',
      'portico.yaml:2: listeners[0].serve is client, metrics: metrics needs a listener of its own',
    ],
    [
      'a setting given twice',
      'durability: full\ndurability: full\n',
      'portico.yaml:2: durability stands above already: everything that belongs to it goes there',
    ],
    ['a file that is no mapping', '- a\n', 'portico.yaml:1: the file must be a list of `setting: value` lines'],
    [
      'an unknown room version',
      'rooms: { default_version: "99" }',
      'portico.yaml:1: rooms.default_version is "99": it must be a room version such as "12"',
    ],
  ];
  for (const [what, content, problem] of cases) {
    test(what, async () => assert.deepEqual(await problemsOf(content), [problem]));
  }

  test('broken YAML, with its line', async () => {
    const [problem = ''] = await problemsOf('log:\n  level: [info\n');
    assert.match(problem, /^portico\.yaml:[23]: /);
  });

  test('all of it at once', async () => {
    assert.equal((await problemsOf('a: 1\nb: 2\ndurability: maybe\n')).length, 3);
  });

  test('a file that is not there', async () => {
    const missing = loadConfig({ file: join(folder, 'missing.yaml'), environment: {} });
    await assert.rejects(missing, /missing\.yaml: the configuration file cannot be read: ENOENT/);
  });

  test('a certificate that is not there', async () => {
    const tls = '{ certificate: no.pem, key: no.key }';
    const problems = await problemsOf(`listeners:\n- {address: "::1", port: 1, serve: [client], tls: ${tls}}\n`);
    assert.match(
      problems[0] ?? '',
      /^portico\.yaml:2: listeners\[0\]\.tls\.certificate is "no\.pem": it must be the path of a file/,
    );
    assert.equal(problems.length, 2);
  });

  test('in the environment', async () => {
    const environment = { PORTICO_LOG_LEVEL: 'loud', PORTICO_SERVERNAME: 'a.org', PORTICO_LISTENERS: 'all' };
    assert.deepEqual(await problemsOf('', { environment }), [
      'PORTICO_LISTENERS: listeners must be given as JSON here, and this is not JSON',
      'the environment: PORTICO_SERVERNAME is not a setting; the nearest one is PORTICO_SERVER_NAME',
      'PORTICO_LOG_LEVEL: log.level is "loud": it must be one of trace, debug, info, warn, error, fatal',
    ]);
  });

  test('on the command line', async () => {
    const flags = new Map([['durability', 'some']]);
    assert.deepEqual(await problemsOf('', { flags }), [
      '--durability: durability is "some": it must be one of full, relaxed',
    ]);
  });

  test('names the proxies to be trusted, one by one or by network', async () => {
    const { http } = await load('http: { trusted_proxies: [127.0.0.1, 10.0.0.0/8, "fd00::/8"] }');
    assert.deepEqual(http.trustedProxies, ['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
    for (const wrong of ['example.org', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/', 'fd00::/129', '*']) {
      const [problem] = await problemsOf(`http: { trusted_proxies: ["${wrong}"] }`);
      assert.match(problem ?? '', /http\.trusted_proxies\[0\] is .*: it must be an address or network/, wrong);
    }
  });
});
