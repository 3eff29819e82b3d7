import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { runSteps } from '../steps.ts';
import { encodeCanonical } from './canonical.ts';
import { JsonError } from './json-error.ts';
import { parseJsonSteps } from './parse-in-steps.ts';
import { parseJson } from './parse-json.ts';
import type { JsonValue } from './value.ts';

const runs = { numRuns: Number(process.env.PROPERTY_RUNS ?? 1000) };

type Outcome = { readonly value: JsonValue } | { readonly refused: true };

function outcomeOf(parse: () => JsonValue): Outcome {
  try {
    return { value: parse() };
  } catch (error) {
    assert.ok(error instanceof JsonError, String(error));
    return { refused: true };
  }
}

/** With the spelling of all numbers, and the order of the keys. */
const shown = (outcome: Outcome): unknown =>
  'refused' in outcome ? outcome : [outcome.value, JSON.stringify(outcome.value), spelled(outcome.value)];
const spelled = (value: JsonValue): string => {
  try {
    return encodeCanonical(value, 'lenient');
  } catch (error) {
    assert.ok(error instanceof JsonError);
    return error.reason;
  }
};

function agree(text: string, atOnce: number): void {
  const bytes = Buffer.from(text);
  const steps = outcomeOf(() => runSteps(parseJsonSteps(bytes, 'lenient', { atOnce, maxDepth: 6 })));
  const whole = outcomeOf(() => parseJson(bytes.toString('utf8'), 'lenient', 6));
  assert.deepStrictEqual(shown(steps), shown(whole), text);
}

const blank = fc.constantFrom('', '', '', ' ', '\n\t');
const key = fc.oneof(
  fc.string({ maxLength: 4 }),
  fc.constantFrom('__proto__', '\n', '\\', '10', 'a', 'é', '\u{1f600}'),
);
const number = fc.oneof(fc.integer().map(String), fc.constantFrom('1.0', '-0', '1e3', '9007199254740993', '0.5'));
const { value: spelledJson } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    number,
    key.map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'null'),
    tie('list'),
    tie('object'),
  ),
  list: fc
    .array(fc.tuple(blank, tie('value'), blank), { maxLength: 6 })
    .map((elements) => `[${elements.map((parts) => parts.join('')).join(',')}]`),
  object: fc.array(fc.tuple(blank, key, blank, tie('value'), blank), { maxLength: 6 }).map((members) => {
    const texts = members.map(([a, name, b, value, c]) => `${a}${JSON.stringify(name)}${b}:${value}${c}`);
    return `{${texts.join(',')}}`;
  }),
}));
const atOnce = fc.constantFrom(1, 2, 5, 20, 1000);

test('in steps JSON is parsed to what it is parsed to at once, numbers as they were spelled', () => {
  fc.assert(
    fc.property(spelledJson, blank, blank, atOnce, (json, a, b, size) => agree(a + json + b, size)),
    runs,
  );
});

test('in steps nothing is JSON that is none', () => {
  const damage = fc.tuple(
    fc.nat(),
    fc.nat(3),
    fc.constantFrom('', ',', '[', ']', '{', '}', '"', ':', '0', '-', ' ', '\\'),
  );
  fc.assert(
    fc.property(spelledJson, fc.array(damage, { minLength: 1, maxLength: 3 }), atOnce, (json, places, size) => {
      let text = json;
      for (const [place, length, other] of places) {
        const at = place % (text.length + 1);
        text = text.slice(0, at) + other + text.slice(at + length);
      }
      agree(text, size);
    }),
    runs,
  );
});

for (const text of [
  '{"a":-[1,2,3]}',
  '{"a":1[1,2,3]}',
  '[0[1,2,3]]',
  '[[1,2,3]0]',
  '[[1,2,3][4,5,6]]',
  '{[1,2,3]}',
  '{"a" [1,2,3]}',
  '{"a":1,"b":[1,2,3]:2}',
  '[1,2,3,]',
  '[,1,2,3]',
  '[1,,2]',
  '[1,2}',
  '{"a":1]',
  '[1,2,3][4]',
  '[1,2,3] x',
  'x [1,2,3]',
  '[1,2,3],',
  '{"a":[1,2],"a":1.0,"a":[3,4]}',
  '{"a":1.0,"a":1}',
  '{"a":1.0,"b":2.0,"a":1,"c":[1,2,3]}',
  '{"a":[1,2,3],"a":1.50}',
  '\ufeff[1,2,3]',
  '[[[[[[[1]]]]]]]',
  '"a long text, with [brackets] and \\"quotes\\" in it"',
  '  ',
]) {
  test(`in steps as at once: ${text}`, () => {
    for (const size of [1, 3, 6, 100]) agree(text, size);
  });
}

test('an object of more members than anybody needs is refused, a list is not', () => {
  const parse = (text: string) => runSteps(parseJsonSteps(Buffer.from(text)));
  const members = (count: number) => Array.from({ length: count }, (_, n) => `"${n}":0`).join(',');
  assert.equal(Object.keys(parse(`{"a":{${members(100_000)}}}`) as object).length, 1);
  assert.throws(() => parse(`{"a":{${members(100_001)}}}`), { reason: 'too-many-members' });
  assert.equal((parse(`[${'0,'.repeat(150_000)}0]`) as JsonValue[]).length, 150_001);
});

test('a megabyte is parsed in many steps, none of which is long', () => {
  const long = { rooms: Object.fromEntries(Array.from({ length: 30_000 }, (_, n) => [`!room${n}`, { n, list: [n] }])) };
  const steps = parseJsonSteps(Buffer.from(JSON.stringify(long)), 'lenient');
  let count = 0;
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) {
      assert.deepEqual(JSON.parse(JSON.stringify(value)), long);
      break;
    }
    count++;
  }
  assert.ok(count > 100, `${count} steps`);
});
