import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEmailAddress } from './email-address.ts';

test('what differs in case only is one address, in every script', () => {
  const forms: readonly [string, string][] = [
    ['alice@example.org', 'alice@example.org'],
    ['Alice@EXAMPLE.org', 'alice@example.org'],
    ['Strauß@Example.com', 'strauss@example.com'],
    ['STRAUẞ@example.com', 'strauss@example.com'],
    ['STRAUSS@example.com', 'strauss@example.com'],
    // No final sigma: the folded form does not depend on what stands beside.
    ['ΟΔΥΣΣΕΎΣ@example.gr', 'οδυσσεύσ@example.gr'],
    ['οδυσσεύς@example.gr', 'οδυσσεύσ@example.gr'],
    ['\u212aelvin@example.org', 'kelvin@example.org'],
    ['o\u017fc@example.org', 'osc@example.org'],
    ['ǅ@example.org', 'ǆ@example.org'],
    ['ﬃ@example.org', 'ffi@example.org'],
    ['\u13a0\uab70@example.org', '\u13a0\u13a0@example.org'],
  ];
  for (const [given, expected] of forms) assert.equal(parseEmailAddress(given), expected, given);
  // An i without its dot is another letter: mail for one does not go to the other.
  assert.equal(parseEmailAddress('m\u0131ke@example.org'), 'm\u0131ke@example.org');
});

test('usual and unusual addresses pass', () => {
  const addresses = ['a@b', 'first.last+tag@sub.example.org', "o'neil@x.org", 'a_b-c=d@1.example', 'пётр@почта.рф'];
  for (const address of addresses) assert.equal(parseEmailAddress(address), address);
  const long = `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
  assert.equal(long.length, 254);
  assert.equal(parseEmailAddress(long), long);
});

test('what is no address, or would be more than one in a header or a command, does not', () => {
  const refused = [
    '',
    'alice',
    '@example.org',
    'alice@',
    'a@b@c',
    '.a@b.org',
    'a..b@c.org',
    'a.@b.org',
    'a@.org',
    'a@b..org',
    'a@-b.org',
    'a@b-.org',
    'a@b.org.',
    'a b@c.org',
    ' a@b.org',
    'a@b.org ',
    'a@b.org\r\nBcc: victim@example.org',
    'a@b.org\nSubject: x',
    'a\u0000@b.org',
    'a@b.org\u2028',
    'a@b.org\u0085',
    'Alice <a@b.org>',
    '<a@b.org>',
    'a@b.org,c@d.org',
    'a@b.org;c@d.org',
    '"a b"@c.org',
    'a@[127.0.0.1]',
    'a(comment)@b.org',
    'a\\b@c.org',
    'a:b@c.org',
    'mailto:a@b.org',
    `${'a'.repeat(65)}@b.org`,
    `${'ß'.repeat(64)}@b.org`,
    `a@${'b'.repeat(64)}.org`,
    `a@${'b.'.repeat(200)}org`,
    'a'.repeat(1_000_000),
    '\ud800@b.org',
  ];
  for (const address of refused) assert.equal(parseEmailAddress(address), undefined, address.slice(0, 80));
});
