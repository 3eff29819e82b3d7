import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from './load.ts';
import { renderConfigFile, renderFlags, renderReference } from './render.ts';
import { schema } from './schema.ts';
import { allSettings, environmentName, flagName } from './setting.ts';

test('the commented file is a configuration, and so is each of its lines without the comment', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-render-'));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'ca.pem'), '');
  writeFileSync(join(folder, 'smtp-password'), 'a password');
  const registration = { id: 'irc', as_token: 'a', hs_token: 'h', sender_localpart: 'irc', namespaces: {} };
  writeFileSync(join(folder, 'irc.yaml'), JSON.stringify(registration));
  const file = join(folder, 'portico.yaml');

  const commented = renderConfigFile(schema, new Map([['server_name', 'a.org']]));
  writeFileSync(file, commented);
  assert.equal((await loadConfig({ file, environment: {} })).serverName, 'a.org');

  const lines = commented.split('\n');
  const settings = lines.flatMap((line, index) => (/^ *#[a-z_]+: /.test(line) ? [index] : []));
  assert.equal(settings.length, allSettings(schema).length - 1, 'every other setting is there');
  for (const index of settings) {
    const changed = lines.with(index, (lines[index] ?? '').replace('#', ''));
    writeFileSync(file, changed.join('\n'));
    await loadConfig({ file, environment: {} });
  }
});

test('the reference page in docs is what the schema says: node scripts/settings-page.ts writes it', () => {
  const page = join(import.meta.dirname, '../../../docs/operate/settings.md');
  assert.equal(readFileSync(page, 'utf8'), renderReference(schema));
});

test('no two settings share a variable or a flag', () => {
  const settings = allSettings(schema);
  assert.equal(new Set(settings.map(({ path }) => environmentName(path))).size, settings.length);
  assert.equal(new Set(settings.map(({ path }) => flagName(path))).size, settings.length);
});

test('the help names every setting', () => {
  const help = renderFlags(schema);
  for (const { path } of allSettings(schema)) assert.match(help, new RegExp(`^  --${flagName(path)} `, 'm'));
});
