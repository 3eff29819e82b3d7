import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownName } from './shown-name.ts';

test('a name stays in its place, whatever is in it', () => {
  const names: [string, string | undefined][] = [
    ['Bob', 'Bob'],
    ['  Bob\r\n\r\nClick here:\u2028now\u0000 ', 'Bob Click here: now'],
    ['\u202Egnihton\u202C', 'gnihton'],
    ['\u2066\u2067x\u2069', 'x'],
    ['דנה', '\u2068דנה\u2069'],
    ['ab\u202Eسارة', '\u2068abسارة\u2069'],
    ['👩‍👩‍👧', '👩‍👩‍👧'],
    ['', undefined],
    [' \u200B\u3164\uFEFF\u2800', undefined],
    ['\u200B\u2060', undefined],
    ['\ud800x', '\ufffdx'],
    ['😀'.repeat(20), `${'😀'.repeat(10)}…`],
    ['a'.repeat(100_000), `${'a'.repeat(10)}…`],
  ];
  for (const [name, shown] of names)
    assert.equal(shownName(name, name.length > 30 ? 10 : 30), shown, JSON.stringify(name));
});
