import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { presenceRules } from '@portico/protocol/privacy/presence/decide.ts';
import { inviteLists } from '@portico/protocol/privacy/invites/invite-config.ts';
import { explainDecision } from './invites/decision-words.ts';
import { readInviteEntry } from './invites/invite-address.ts';
import { describePeople, readPersonPattern } from './lists/person-pattern.ts';
import { explainSight } from './presence/sight-words.ts';
import { describeProblem, ServerProblem } from './server/server-problem.ts';

test('every rule about presence has words of its own, none of which is jargon', () => {
  const said = Object.keys(presenceRules).map((rule) =>
    explainSight({ userId: '@a:b', isAllowed: true, rule, by: '@x:y' }, (room) => room),
  );
  assert.equal(new Set(said).size, said.length);
  for (const words of said) assert.doesNotMatch(words, /_|M_|glob|undefined/);
  assert.match(
    explainSight({ userId: '@a:b', isAllowed: true, rule: 'toString', by: undefined }, String),
    /a reason of its own/,
  );
});

test('every rule about invitations has words of its own', () => {
  const rules = [...inviteLists, 'server_notices', 'ignored_by_user', 'default_action', 'no_rule'];
  const said = rules.map((rule) =>
    explainDecision({ action: 'allow', rule: `invite.${rule}`, source: undefined, entry: undefined }),
  );
  assert.equal(new Set(said).size, said.length);
  for (const words of said) assert.doesNotMatch(words, /_|invite\.|does not know/);
});

suite('what is typed for people becomes', () => {
  const table: readonly [typed: string, pattern: string | undefined][] = [
    [' @alice:example.org ', '@alice:example.org'],
    ['example.org', '@*:example.org'],
    ['*:example.org', '@*:example.org'],
    [':example.org', '@*:example.org'],
    ['example.org:8448', '@*:example.org:8448'],
    ['@*bot:example.org', '@*bot:example.org'],
    ['@*:*', '@*:*'],
    ['alice', undefined],
    ['@alice', undefined],
    ['#room:example.org', undefined],
    ['', undefined],
  ];
  for (const [typed, pattern] of table)
    test(`“${typed}” → ${pattern}`, () => assert.equal(readPersonPattern(typed), pattern));
});

suite('what is typed for inviters goes to', () => {
  const table: readonly [typed: string, list: string | undefined, entry?: string][] = [
    ['@alice:example.org', 'blocked_users', '@alice:example.org'],
    ['@spam*:*', 'blocked_users', '@spam*:*'],
    ['example.org', 'blocked_servers', 'example.org'],
    ['example.org:8448', 'blocked_servers', 'example.org'],
    ['*.example.org', 'blocked_servers', '*.example.org'],
    ['[::1]:8448', 'blocked_servers', '[::1]'],
    ['@alice', undefined],
    ['two words', undefined],
    ['', undefined],
  ];
  for (const [typed, list, entry] of table) {
    test(`“${typed}” → ${list}`, () => {
      assert.deepEqual(readInviteEntry(typed, 'blocked'), list === undefined ? undefined : { list, entry });
    });
  }
});

test('patterns are said in words where there are any', () => {
  assert.equal(describePeople('@*:example.org'), 'everyone at example.org');
  assert.equal(describePeople('@a:example.org'), '@a:example.org');
  assert.equal(describePeople('@*:*'), 'everyone');
  assert.equal(describePeople('@a*:example.org'), 'everyone whose address fits @a*:example.org');
});

suite('what goes wrong is said in words', () => {
  const refused = (status: number, answer: Record<string, string | number>) =>
    new ServerProblem({ kind: 'refused', status, answer });
  const table: readonly [error: unknown, words: RegExp][] = [
    [refused(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1_750_000 }), /Try again in 30 minutes/],
    [refused(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 2400 }), /Try again in 3 seconds/],
    [refused(429, { errcode: 'M_LIMIT_EXCEEDED' }), /a little later/],
    [refused(403, { errcode: 'M_FORBIDDEN', error: 'Not you.' }), /The server says: Not you\./],
    [refused(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'x' }), /log in again/],
    [refused(413, { errcode: 'M_TOO_LARGE' }), /Make the lists shorter/],
    [refused(502, {}), /has a problem/],
    [refused(400, {}), /refused/],
    [new ServerProblem({ kind: 'unreachable' }), /cannot be reached/],
    [new TypeError('x is not a function'), /Something went wrong on this page/],
  ];
  for (const [error, words] of table) test(String(words), () => assert.match(describeProblem(error), words));
});
