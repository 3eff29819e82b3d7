import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { threadTime } from '@portico/testkit/thread-time.ts';
import { ConfigError, loadConfig } from '../load.ts';
import { compileNamespace } from './namespace-regex.ts';

const folder = mkdtempSync(join(tmpdir(), 'portico-bridges-'));
after(() => rmSync(folder, { recursive: true }));

/** As they are in a file. */
const irc = {
  id: 'irc',
  url: 'http://127.0.0.1:9898/',
  as_token: 'as-token',
  hs_token: 'hs-token',
  sender_localpart: '_irc_bot',
  namespaces: { users: [{ exclusive: true, regex: '@_irc_.*' }], aliases: [], rooms: [] },
};

function load(...files: readonly (readonly [name: string, content: unknown])[]) {
  const here = mkdtempSync(join(folder, 'some-'));
  for (const [name, content] of files) {
    writeFileSync(join(here, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return loadConfig({ environment: { PORTICO_APPLICATION_SERVICES: JSON.stringify([here]) } });
}

async function problemsOf(...files: readonly (readonly [name: string, content: unknown])[]): Promise<string[]> {
  try {
    await load(...files);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map((problem) => problem.replace(/^\S*\//, ''));
  }
  return [];
}

test('a registration has what its file says, and defaults for the rest', async () => {
  const { applicationServices } = await load(['irc.yaml', { ...irc, 'a.field.of.others': { x: 1 } }]);
  assert.deepEqual(JSON.parse(JSON.stringify(applicationServices)), [
    {
      id: 'irc',
      url: 'http://127.0.0.1:9898',
      asToken: 'as-token',
      hsToken: 'hs-token',
      senderLocalpart: '_irc_bot',
      rateLimited: true,
      receiveEphemeral: false,
      deviceLists: false,
      protocols: [],
      namespaces: { users: [{ exclusive: true, regex: '@_irc_.*' }], aliases: [], rooms: [] },
    },
  ]);
});

test('stable and unstable names mean the same', async () => {
  for (const name of ['receive_ephemeral', 'de.sorunome.msc2409.push_ephemeral', 'push_ephemeral']) {
    const [service] = (await load(['a.yml', { ...irc, [name]: true }])).applicationServices;
    assert.equal(service?.receiveEphemeral, true, name);
  }
  const [service] = (await load(['a.yml', { ...irc, url: null, rate_limited: false, 'org.matrix.msc3202': true }]))
    .applicationServices;
  assert.deepEqual([service?.url, service?.rateLimited, service?.deviceLists], [undefined, false, true]);
});

test("a service's own user may have a name that people could not take, since bridges make one at random", async () => {
  const [service] = (await load(['a.yml', { ...irc, sender_localpart: 'R4nd0m_Text-Of=Capitals' }]))
    .applicationServices;
  assert.equal(service?.senderLocalpart, 'R4nd0m_Text-Of=Capitals');
  for (const wrong of ['', 'with:colon', 'mit-ümlaut', 'a'.repeat(255)]) {
    assert.equal((await problemsOf(['a.yml', { ...irc, sender_localpart: wrong }])).length, 1, wrong);
  }
});

test('files are read one by one or as a folder, and what is no YAML file in it is left alone', async () => {
  const here = mkdtempSync(join(folder, 'mixed-'));
  mkdirSync(join(here, 'all'));
  writeFileSync(join(here, 'all', 'b.yml'), JSON.stringify({ ...irc, id: 'b', as_token: 'b', sender_localpart: 'b' }));
  writeFileSync(join(here, 'all', 'notes.txt'), 'nothing');
  writeFileSync(join(here, 'one.yaml'), JSON.stringify(irc));
  const paths = JSON.stringify([join(here, 'one.yaml'), join(here, 'all')]);
  const { applicationServices } = await loadConfig({ environment: { PORTICO_APPLICATION_SERVICES: paths } });
  assert.deepEqual(
    applicationServices.map(({ id }) => id),
    ['irc', 'b'],
  );
});

test('what is wrong is said with the file, the line, the field and the value, but no token is shown', async () => {
  assert.deepEqual(
    await problemsOf(['a.yaml', 'id: irc\nurl: ftp://x\nas_token: "a secret"\nsender_localpart: Irc Bot\n']),
    [
      'a.yaml:3: as_token is (not shown): it must be a token of visible ASCII characters',
      'a.yaml:1: hs_token is missing: it must be a token of visible ASCII characters',
      'a.yaml:4: sender_localpart is "Irc Bot": it must be the local part of a user ID: visible ASCII characters but ":"',
      'a.yaml:2: url is "ftp://x": it must be an address such as https://example.org',
      'a.yaml:1: namespaces is missing: it must be an object of users, aliases, rooms',
    ],
  );
  const broken = (namespaces: unknown) => problemsOf(['a.yaml', { ...irc, namespaces }]);
  assert.deepEqual(await broken({ users: [{ regex: '@(', exclusive: true }] }), [
    'a.yaml:1: namespaces.users[0].regex is "@(": it must be a regular expression of RE2 syntax, with at most 1,000 characters',
  ]);
  assert.deepEqual(await broken({ users: [{ regex: '@(?!a)', exclusive: true }] }), [
    'a.yaml:1: namespaces.users[0].regex is "@(?!a)": it must be a regular expression of RE2 syntax, with at most 1,000 characters',
  ]);
  assert.deepEqual(await broken({ rooms: [{ regex: '!a', exclusive: 'perhaps' }] }), [
    'a.yaml:1: namespaces.rooms[0].exclusive is "perhaps": it must be true or false',
  ]);
  assert.deepEqual(await broken({ aliases: [{ regex: '#a' }] }), [
    'a.yaml:1: namespaces.aliases[0].exclusive is missing',
  ]);
  assert.deepEqual(await broken({ aliases: '#a' }), [
    'a.yaml:1: namespaces.aliases is "#a": it must be a list, each an object of regex, exclusive',
  ]);
  assert.deepEqual(await problemsOf(['a.yaml', '']), ['a.yaml: there is no registration in this file']);
});

test('what identifies a service must be its own', async () => {
  assert.deepEqual(await problemsOf(['a.yaml', irc], ['b.yaml', irc]), [
    'b.yaml: id is "irc": another registration has it already',
    'b.yaml: as_token is (not shown): that of "irc" is the same',
    'b.yaml: sender_localpart is "_irc_bot": that of "irc" is the same',
  ]);
});

test('a namespace is tried from the beginning of a name', () => {
  const matches = compileNamespace('@_irc_.*:example\\.org');
  assert.equal(matches?.('@_irc_a:example.org'), true);
  assert.equal(matches?.('x@_irc_a:example.org'), false);
  assert.equal(matches?.('@_irc_a:exampleXorg'), false);
  assert.equal(compileNamespace('@irc_')?.('@irc_and_more:x'), true);
});

test('no expression takes long, whatever the name', () => {
  const matches = compileNamespace('@(a+)+$');
  const started = threadTime();
  assert.equal(matches?.(`@${'a'.repeat(250)}!`), false);
  assert.ok(threadTime() - started < 100);
  assert.equal(compileNamespace('a'.repeat(1001)), undefined);
  assert.equal(matches?.(`@${'a'.repeat(300)}`), false);
});
