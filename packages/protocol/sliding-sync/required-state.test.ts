import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  combineRequiredState,
  coversRequiredState,
  formatRequiredState,
  nothingRequired,
  parseRequiredState,
  readRequiredState,
  requires,
  sizeOfRequiredState,
} from './required-state.ts';

const me = '@me:x';
const types = ['m.room.member', 'm.room.name', 'a'] as const;
const keys = ['', me, '@other:x'] as const;
const pair = fc.tuple(fc.constantFrom(...types, '*'), fc.constantFrom(...keys, '*', '$ME', '$LAZY'));
const pairs = fc.array(pair, { maxLength: 6 });
const entries = types.flatMap((type) => keys.map((key) => [type, key] as const));

/** A pair of a request, and all the entries that it wants of those that there are. */
const wishes: readonly (readonly [pair: readonly [string, string], wanted: readonly string[]])[] = [
  [['a', ''], ['a/']],
  [['a', '$ME'], ['a/@me:x']],
  [
    ['a', '*'],
    ['a/', 'a/@me:x', 'a/@other:x'],
  ],
  // The key of a membership alone can be lazy.
  [['a', '$LAZY'], []],
  [
    ['*', ''],
    ['m.room.member/', 'm.room.name/', 'a/'],
  ],
  [
    ['*', '$ME'],
    ['m.room.member/@me:x', 'm.room.name/@me:x', 'a/@me:x'],
  ],
  [['*', '$LAZY'], []],
  [['m.room.member', '@other:x'], ['m.room.member/@other:x']],
  [
    ['m.room.member', '*'],
    ['m.room.member/', 'm.room.member/@me:x', 'm.room.member/@other:x'],
  ],
  [['m.room.member', '$LAZY'], []],
  [['*', '*'], entries.map((entry) => entry.join('/'))],
];

test('a pair wants entries by type and key, either of which may be a wildcard', () => {
  for (const [pair, wanted] of wishes) {
    const state = parseRequiredState([pair], me);
    const found = entries.filter(([type, key]) => requires(state, type, key)).map((entry) => entry.join('/'));
    assert.deepEqual(found, wanted, pair.join('/'));
    assert.equal(
      coversRequiredState(nothingRequired, state),
      sizeOfRequiredState(state) === 0 && state.members === 'named',
      pair.join('/'),
    );
  }
});

test('a union wants what either wants, and nothing else of single entries', () => {
  fc.assert(
    fc.property(pairs, pairs, (one, other) => {
      const [a, b] = [parseRequiredState(one, me), parseRequiredState(other, me)];
      const both = combineRequiredState(a, b);
      for (const [type, key] of entries) {
        assert.equal(requires(both, type, key), requires(a, type, key) || requires(b, type, key), `${type} ${key}`);
      }
      assert.ok(coversRequiredState(both, a) && coversRequiredState(both, b));
    }),
  );
});

test('what covers another one wants all that it wants', () => {
  fc.assert(
    fc.property(pairs, pairs, (one, other) => {
      const [a, b] = [parseRequiredState(one, me), parseRequiredState(other, me)];
      if (!coversRequiredState(a, b)) return;
      for (const [type, key] of entries) assert.ok(!requires(b, type, key) || requires(a, type, key), `${type} ${key}`);
    }),
  );
});

test('it is kept as text, the same for the same wishes', () => {
  fc.assert(
    fc.property(pairs, (some) => {
      const state = parseRequiredState(some, me);
      assert.deepEqual(readRequiredState(formatRequiredState(state)), state);
      assert.equal(formatRequiredState(parseRequiredState(some.toReversed(), me)), formatRequiredState(state));
    }),
  );
});

test('nothing covers everything but everything, and everything covers all', () => {
  const everything = parseRequiredState([['*', '*']], me);
  const named = parseRequiredState(
    [
      ['a', '*'],
      ['m.room.name', ''],
      ['m.room.member', '*'],
    ],
    me,
  );
  const lazy = parseRequiredState(
    [
      ['*', '*'],
      ['m.room.member', '$LAZY'],
    ],
    me,
  );
  assert.ok(coversRequiredState(everything, named) && coversRequiredState(everything, lazy));
  assert.ok(!coversRequiredState(named, everything) && !coversRequiredState(lazy, everything));
  assert.ok(!coversRequiredState(named, lazy));
  assert.ok(coversRequiredState(named, parseRequiredState([['a', 'with a \0 in it']], me)));
  assert.ok(
    coversRequiredState(
      lazy,
      parseRequiredState(
        [
          ['a', '*'],
          ['m.room.name', ''],
        ],
        me,
      ),
    ),
  );
});

test('its size is in pairs but for everything and the members', () => {
  const sizeOf = (...some: string[][]) => sizeOfRequiredState(parseRequiredState(some, me));
  assert.equal(sizeOf(), 0);
  assert.equal(sizeOf(['a', '*'], ['b', '*'], ['a', ''], ['a', '$ME'], ['b', ''], ['*', '']), 6);
  assert.equal(sizeOf(['*', '*'], ['m.room.member', '*'], ['m.room.member', '$LAZY']), 0);
});

test('members are all, lazy or named', () => {
  const membersOf = (...some: string[][]) => parseRequiredState(some, me).members;
  assert.equal(membersOf(), 'named');
  assert.equal(membersOf(['m.room.member', '$ME']), 'named');
  assert.equal(membersOf(['m.room.member', '$LAZY']), 'lazy');
  for (const type of ['a', '*']) assert.equal(membersOf([type, '$LAZY']), 'named');
  assert.equal(membersOf(['*', '*'], ['m.room.member', '$LAZY']), 'lazy');
  assert.equal(membersOf(['*', '*']), 'all');
  assert.equal(membersOf(['m.room.member', '*'], ['m.room.member', '$LAZY']), 'all');
  assert.ok(requires(parseRequiredState([['m.room.member', '$ME']], me), 'm.room.member', me));
});
