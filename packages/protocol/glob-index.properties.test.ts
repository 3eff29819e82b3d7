import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { globIndexSteps } from './glob-index.ts';
import { compileGlob } from './glob.ts';
import { runSteps } from './steps.ts';

const runs = { numRuns: Number(process.env.PROPERTY_RUNS ?? 2000) };
const character = fc.constantFrom('a', 'b', ':', '\u{1f600}');
const symbol = fc.oneof({ weight: 3, arbitrary: character }, fc.constantFrom('*', '?'));
const glob = fc.string({ unit: symbol, maxLength: 10 });
/** More than are looked at one by one. */
const globs = fc.array(glob, { minLength: 33, maxLength: 60 });
const text = fc.string({ unit: character, maxLength: 12 });

/** A text that one of the globs matches, mostly. */
const filled = fc
  .tuple(globs, fc.nat(), fc.array(fc.string({ unit: character, maxLength: 3 }), { minLength: 10, maxLength: 10 }))
  .map(([list, chosen, fillings]) => {
    const text = Array.from(list[chosen % list.length] ?? '', (symbol, index) => {
      if (symbol === '*') return fillings[index] ?? '';
      return symbol === '?' ? 'b' : symbol;
    });
    return [list, text.join('')] as const;
  });

test('the first glob that matches is found, as by looking at each', () => {
  const property = fc.property(fc.oneof(filled, fc.tuple(globs, text)), ([list, text]) => {
    const place = list.findIndex((each) => compileGlob(each)(text));
    assert.equal(runSteps(runSteps(globIndexSteps(list)).findSteps(text)), place === -1 ? undefined : place);
  });
  fc.assert(property, runs);
});

function stepsOf(list: readonly string[], text: string): readonly [steps: number, found: number | undefined] {
  const steps = runSteps(globIndexSteps(list)).findSteps(text);
  for (let count = 1; ; count++) {
    const { done, value } = steps.next();
    if (done === true) return [count, value];
  }
}

const many = (make: (index: string) => string) =>
  Array.from({ length: 50_000 }, (_, index) => make(index.toString(36).padStart(4, '0')));
const text40 = '@somebody_whose_name_is_long:host.example';
const shapes: Readonly<Record<string, (index: string) => string>> = {
  'other ends': (index) => `@*x${index}`,
  'other beginnings': (index) => `@x${index}*`,
  'other middles': (index) => `@*x${index}*:*`,
  'other middles among many stars': (index) => `@*${'s*'.repeat(20)}x${index}*${'s*'.repeat(20)}e`,
  'other ends of long parts': (index) => `@*${'somebody'.repeat(9)}x${index}*e`,
  'other servers': (index) => `@*:x${index}.example`,
};
for (const [what, make] of Object.entries(shapes)) {
  test(`what tells fifty thousand globs from a text is not looked at one by one: ${what}`, () => {
    assert.deepEqual(stepsOf(many(make), text40), [1, undefined]);
    assert.equal(stepsOf([...many(make), '@some*:host.example'], text40)[1], 50_000);
  });
}

test('it takes as long whether or not one matches, and whichever does', () => {
  // Nothing but single characters between wildcards.
  const bits = (index: number) => index.toString(2).padStart(16, '0').replaceAll('0', 'o*').replaceAll('1', 'o?');
  const list = Array.from({ length: 50_000 }, (_, index) => `@*${bits(index)}*`);
  const [steps, found] = stepsOf(list, text40);
  assert.equal(found, undefined);
  assert.ok(steps > 200, `${steps} steps`);
  for (const place of [0, 25_000, 49_999]) {
    assert.deepEqual(stepsOf(list.with(place, `@*o*e*${'*'.repeat(30)}`), text40), [steps, place]);
  }
});
