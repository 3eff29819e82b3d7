import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  combineRequiredState,
  coversRequiredState,
  formatRequiredState,
  parseRequiredState,
  readRequiredState,
  requires,
} from './required-state.ts';

const me = '@me:x';
const types = ['m.room.member', 'm.room.name', 'a'] as const;
const keys = ['', me, '@other:x'] as const;
const pair = fc.tuple(fc.constantFrom(...types, '*'), fc.constantFrom(...keys, '*', '$ME', '$LAZY'));
const pairs = fc.array(pair, { maxLength: 6 });
const entries = types.flatMap((type) => keys.map((key) => [type, key] as const));

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

test('members are all, lazy or named', () => {
  const membersOf = (...some: string[][]) => parseRequiredState(some, me).members;
  assert.equal(membersOf(), 'named');
  assert.equal(membersOf(['m.room.member', '$ME']), 'named');
  assert.equal(membersOf(['m.room.member', '$LAZY']), 'lazy');
  assert.equal(membersOf(['*', '*'], ['m.room.member', '$LAZY']), 'lazy');
  assert.equal(membersOf(['*', '*']), 'all');
  assert.equal(membersOf(['m.room.member', '*'], ['m.room.member', '$LAZY']), 'all');
  assert.ok(requires(parseRequiredState([['m.room.member', '$ME']], me), 'm.room.member', me));
});
