import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError, loadConfig } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'portico-mail-'));
after(() => rmSync(folder, { recursive: true }));

async function load(content: string) {
  const file = join(folder, 'portico.yaml');
  writeFileSync(file, content);
  return loadConfig({ file, environment: {} });
}

async function problemsOf(content: string): Promise<readonly string[]> {
  try {
    await load(content);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map((problem) => problem.replaceAll(`${folder}/`, ''));
  }
  return [];
}

test('no host, no mail', async () => {
  assert.equal((await load('')).smtp, undefined);
  assert.equal((await load('mail: { user: x }')).smtp, undefined);
});

test('a host is enough; the rest follows', async () => {
  const from = { name: '', address: 'noreply@example.org' };
  const { smtp } = await load('server_name: "example.org:8448"\nmail: { host: smtp.test }');
  assert.deepEqual(smtp, { host: 'smtp.test', port: 587, security: 'starttls', login: undefined, from });
  assert.equal((await load('mail: { host: smtp.test, security: tls }')).smtp?.port, 465);
  assert.equal((await load('mail: { host: smtp.test, security: none }')).smtp?.port, 25);
  assert.equal((await load('mail: { host: smtp.test, security: none, port: 2525 }')).smtp?.port, 2525);
});

test('the sender may have a name', async () => {
  const fromOf = async (from: string) => (await load(`mail: { host: x, from: "${from}" }`)).smtp?.from;
  assert.deepEqual(await fromOf('Example <portico@example.org>'), { name: 'Example', address: 'portico@example.org' });
  assert.deepEqual(await fromOf('portico@example.org'), { name: '', address: 'portico@example.org' });
});

test('the password is in the file, or in a file of its own', async () => {
  writeFileSync(join(folder, 'password'), 'hunter2 \r\n# not this\n');
  writeFileSync(join(folder, 'empty'), '\n');
  const inFile = await load('mail: { host: x, user: me, password: 0123 }');
  assert.deepEqual(inFile.smtp?.login, { user: 'me', password: '0123' });
  const apart = await load('mail: { host: x, user: me, password_file: password }');
  assert.deepEqual(apart.smtp?.login, { user: 'me', password: 'hunter2 ' });
  assert.deepEqual(await problemsOf('mail: { host: x, user: me, password_file: empty }'), [
    'portico.yaml:1: mail.password_file is a file without a password in its first line',
  ]);
  assert.deepEqual(await problemsOf('mail: { host: x, user: me, password: a, password_file: password }'), [
    'portico.yaml:1: mail.password and mail.password_file are both given: it takes one of them',
  ]);
});

test('what is wrong is said, and the password is not', async () => {
  const cases: readonly [string, string][] = [
    ['mail: { host: x, user: me }', 'portico.yaml:1: mail.password is missing: it takes both to log in'],
    ['mail: { host: x, password: hunter2 }', 'portico.yaml:1: mail.user is missing: it takes both to log in'],
    ['mail: { password: [hunter2] }', 'portico.yaml:1: mail.password is (not shown): it must be text'],
    [
      'mail: { host: x, from: nobody }',
      'portico.yaml:1: mail.from is "nobody": it must be an address such as portico@example.org or Example <portico@example.org>',
    ],
    [
      'server_name: "[::1]"\nmail: { host: x }',
      'portico.yaml:2: mail.from is missing: no address can be made of the name of this server',
    ],
    [
      'registration: { require_email: true }',
      'the configuration: registration.require_email is true: it takes mail.host',
    ],
  ];
  for (const [content, problem] of cases) assert.deepEqual(await problemsOf(content), [problem]);
});
