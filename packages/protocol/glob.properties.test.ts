import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadTime } from '@portico/testkit/thread-time.ts';
import * as fc from 'fast-check';
import { compileGlob, matchesGlob } from './glob.ts';

const runs = { numRuns: Number(process.env.PROPERTY_RUNS ?? 2000) };

/** The definition, by dynamic programming over characters. */
function reference(pattern: string, text: string): boolean {
  const characters = Array.from(text);
  let reachable = [true, ...characters.map(() => false)];
  for (const symbol of pattern) {
    const next = reachable.map(() => false);
    for (let index = 0; index <= characters.length; index++) {
      const step = index > 0 && reachable[index - 1] === true && (symbol === '?' || symbol === characters[index - 1]);
      const star = symbol === '*' && (reachable[index] === true || (index > 0 && next[index - 1] === true));
      next[index] = symbol === '*' ? star : step;
    }
    reachable = next;
  }
  return reachable.at(-1) === true;
}

const character = fc.constantFrom('a', 'b', '\u{1f600}');
const few = { unit: character };
const pattern = fc.string({ unit: fc.oneof(character, fc.constantFrom('*', '?')), maxLength: 12 });

/** A pattern, and a text that it matches or that is one character short of that. */
const almostMatching = fc
  .tuple(pattern, fc.array(fc.string({ ...few, maxLength: 3 }), { minLength: 12, maxLength: 12 }), fc.nat(40))
  .map(([pattern, fillings, gap]) => {
    const filled = Array.from(pattern, (symbol, index) => {
      const filling = fillings[index] ?? '';
      if (symbol === '*') return filling;
      return symbol === '?' ? `a${filling}`.slice(0, 1) : symbol;
    });
    const characters = Array.from(filled.join(''));
    return { pattern, text: characters.filter((_, index) => index !== gap).join('') };
  });

test('globs match what their definition says', () => {
  const anything = fc.record({ pattern, text: fc.string({ ...few, maxLength: 20 }) });
  const property = fc.property(fc.oneof(almostMatching, anything), ({ pattern, text }) => {
    assert.equal(compileGlob(pattern)(text), reference(pattern, text));
    assert.equal(matchesGlob(pattern, text), reference(pattern, text));
  });
  fc.assert(property, runs);
});

test('long texts and long parts match no differently', () => {
  const long = fc.string({ ...few, minLength: 30, maxLength: 80 });
  const property = fc.property(long, long, long, fc.nat(79), (before, middle, after, hole) => {
    const text = before + 'c'.repeat(1100) + middle + after;
    const characters = Array.from(middle);
    characters[hole % characters.length] = '?';
    for (const pattern of [`*${characters.join('')}*`, `*${middle}*`, `${before}*${characters.join('')}${after}`]) {
      assert.equal(compileGlob(pattern)(text), reference(pattern, text));
    }
  });
  fc.assert(property, { numRuns: Math.ceil(runs.numRuns / 20) });
});

const hostile: Readonly<Record<string, (size: number) => readonly [pattern: string, text: string]>> = {
  'many stars': (size) => [`${'*a'.repeat(1000)}*b`, 'a'.repeat(size)],
  'a long part that almost matches': (size) => [`*${'a'.repeat(200)}b*`, 'a'.repeat(size)],
  'a part that begins wrong': (size) => [`*b${'a'.repeat(200)}*`, 'a'.repeat(size)],
  'question marks that almost match': (size) => [`*${'a?'.repeat(100)}b*`, 'a'.repeat(size)],
};

for (const [name, make] of Object.entries(hostile)) {
  test(`time grows with the text and no faster: ${name}`, () => {
    /** Sixteen of the size 20,000 are as long as one of 320,000: together they cost as much, or a sixteenth if it is quadratic. */
    const cost = (size: number, times: number) => {
      const [pattern, text] = make(size);
      const matches = compileGlob(pattern);
      let best = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < 3; attempt++) {
        const start = threadTime();
        for (let time = 0; time < times; time++) assert.equal(matches(text), false);
        best = Math.min(best, threadTime() - start);
      }
      return best;
    };
    cost(20_000, 16);
    // So much work that the clock of a thread, which may go in steps of some milliseconds, can tell.
    assert.ok(cost(320_000, 3) < 5 * Math.max(cost(20_000, 48), 10));
  });
}
