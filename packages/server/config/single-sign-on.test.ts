import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError, loadConfig } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'portico-sso-'));
after(() => rmSync(folder, { recursive: true }));

async function load(content: string) {
  const file = join(folder, 'portico.yaml');
  writeFileSync(file, content);
  return loadConfig({ file, environment: {} });
}

async function problemsOf(content: string): Promise<string> {
  try {
    await load(content);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.join('\n').replaceAll(`${folder}/`, '');
  }
  return '';
}

const least = 'id: a, name: A, issuer: "https://a.test/x/", client_id: portico';
const withProvider = (more: string) => `single_sign_on: { providers: [{ ${least}${more} }] }`;

test('a provider is complete with the least that has to be said', async () => {
  assert.deepEqual((await load('')).identityProviders, []);
  const [provider] = (await load(withProvider(''))).identityProviders;
  assert.deepEqual(provider, {
    id: 'a',
    name: 'A',
    icon: undefined,
    brand: undefined,
    issuer: 'https://a.test/x/',
    clientId: 'portico',
    clientSecret: undefined,
    scopes: ['openid', 'profile', 'email'],
    claims: { localpart: 'preferred_username', displayName: 'name', email: 'email' },
    requiredClaims: new Map(),
    newAccounts: 'nobody',
    adoptsAccounts: false,
    endsSessions: false,
  });
});

test('what is said of one counts', async () => {
  const [provider] = (
    await load(withProvider(', scopes: [email], required_claims: { a: x, b: [1, true] }, claims: { localpart: nick }'))
  ).identityProviders;
  assert.deepEqual(provider?.scopes, ['openid', 'email']);
  assert.deepEqual(provider.claims, { localpart: 'nick', displayName: 'name', email: 'email' });
  assert.deepEqual(
    [...provider.requiredClaims],
    [
      ['a', ['x']],
      ['b', ['1', 'true']],
    ],
  );
});

test('the secret is in the file, or in one of its own', async () => {
  writeFileSync(join(folder, 'secret'), 'hunter2\n# not this\n');
  writeFileSync(join(folder, 'empty'), '\n');
  const secretOf = async (more: string) => (await load(withProvider(more))).identityProviders[0]?.clientSecret;
  assert.equal(await secretOf(', client_secret: hunter2'), 'hunter2');
  assert.equal(await secretOf(', client_secret_file: secret'), 'hunter2');
  const { files } = await load(withProvider(', client_secret_file: secret'));
  assert.ok(files.includes(join(folder, 'secret')), 'backups have it');
  assert.match(await problemsOf(withProvider(', client_secret_file: empty')), /without a secret in its first line/);
  assert.match(
    await problemsOf(withProvider(', client_secret: hunter2, client_secret_file: secret')),
    /client_secret and client_secret_file are both given/,
  );
});

test('what is wrong is said, and nothing of it that is secret', async () => {
  for (const [more, words] of [
    [', client_secrets: hunter2', /client_secrets is not a setting; the nearest one is .*client_secret/],
    [', icon: hunter2', /icon is \(not shown\): it must be an address such as mxc:/],
    [', brand: "Git Hub"', /brand/],
    [', required_claims: { a: [] }', /required_claims/],
    [', new_accounts: some', /new_accounts/],
    [', scopes: []', /not empty/],
  ] as const) {
    const problems = await problemsOf(withProvider(more));
    assert.match(problems, words);
    assert.doesNotMatch(problems, /hunter2/);
  }
  for (const issuer of [
    'a.test',
    'ftp://a.test',
    'http://a.test/',
    'http://localhost.a.test/',
    'http://127.0.0.1.a.test/',
    'https://a.test/.well-known/openid-configuration',
    'https://a.test/?x',
    'https://me:hunter2@a.test/',
    'javascript:1',
  ]) {
    assert.match(await problemsOf(withProvider('').replace('https://a.test/x/', issuer)), /issuer/, issuer);
  }
  for (const issuer of ['http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:3000/x', 'https://localhost/']) {
    assert.equal(await problemsOf(withProvider('').replace('https://a.test/x/', issuer)), '', issuer);
  }
  for (const id of ['', '..', 'a/b', 'ä', 'x'.repeat(101)]) {
    assert.match(await problemsOf(withProvider('').replace('id: a', `id: "${id}"`)), /\.id/, id);
  }
  assert.match(await problemsOf(`single_sign_on: { providers: [{ ${least} }, { ${least} }] }`), /an earlier provider/);
});

test('trusted clients are addresses, or schemes of apps', async () => {
  const { singleSignOn } = await load(
    'single_sign_on: { trusted_clients: ["https://App.test/x", "io.element.desktop:"] }',
  );
  assert.deepEqual(singleSignOn.trustedClients, ['https://app.test/x', 'io.element.desktop:']);
  for (const entry of ['app.test', 'https:', 'javascript:', 'data:', 'https://app.test/?x', '*', 'ftp://x/']) {
    assert.match(await problemsOf(`single_sign_on: { trusted_clients: ["${entry}"] }`), /trusted_clients\[0\]/, entry);
  }
});

test('the examples of the page about it are configurations', async () => {
  writeFileSync(join(folder, 'client-secret'), 'a secret\n');
  const page = readFileSync(join(import.meta.dirname, '../../../docs/operate/single-sign-on.md'), 'utf8');
  const blocks = page.split(/\n\n/).filter((block) => /^ {4}.*\n?.*single_sign_on:/.test(block));
  assert.equal(blocks.length, 3);
  for (const block of blocks) {
    const yaml = block.replaceAll(/^ {4}/gm, '').replace('/etc/portico/client-secret', 'client-secret');
    const { identityProviders } = await load(yaml);
    assert.equal(identityProviders.length, 1);
    assert.ok(identityProviders[0]?.clientSecret);
  }
});
