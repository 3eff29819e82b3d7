import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { canonicalParts, encodeCanonical } from './canonical.ts';
import { compareCodePoints, exceedsUtf8, utf8Length } from './code-points.ts';
import { JsonError } from './json-error.ts';
import { nestsTooDeep } from './nesting.ts';
import { maxJsonDepth, parseJson, type JsonMode } from './parse-json.ts';
import type { JsonValue } from './value.ts';

const runs = { numRuns: Number(process.env.PROPERTY_RUNS ?? 2000) };

const character = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 });
const text = fc.string({ unit: fc.oneof(fc.constantFrom('\u{1f600}', '\ufb01', '\u0000', '"', '\\', 'a'), character) });
const key = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toJSON', '10', '9', ''));
const { value: strictJson } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    tie('array'),
    tie('object'),
  ),
  array: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: false }),
})) as { value: fc.Arbitrary<JsonValue> };

/** The definition, as plainly as it can be written: the engine's writer over keys in order, at every level. */
function reference(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(reference).join(',')}]`;
  const members = Object.entries(value as { readonly [key: string]: JsonValue }).map(([key, child]) => ({
    points: Array.from(key, (character) => character.codePointAt(0) ?? 0),
    text: `${JSON.stringify(key)}:${reference(child)}`,
  }));
  members.sort((a, b) => {
    const index = a.points.findIndex((point, position) => point !== b.points[position]);
    return index === -1 ? a.points.length - b.points.length : (a.points[index] ?? 0) - (b.points[index] ?? -1);
  });
  return `{${members.map((member) => member.text).join(',')}}`;
}

test('canonical JSON is what its definition says', () => {
  fc.assert(
    fc.property(strictJson, (value) => assert.equal(encodeCanonical(value), reference(value))),
    runs,
  );
});

test('canonical JSON comes back from parsing, in every mode, and does not change again', () => {
  const mode = fc.constantFrom<JsonMode>('plain', 'lenient', 'strict');
  const round = fc.property(strictJson, mode, (value, mode) => {
    const once = encodeCanonical(value);
    assert.equal(encodeCanonical(parseJson(once, mode)), once);
  });
  fc.assert(round, runs);
});

test('canonical JSON in parts is the same, and refuses the same', () => {
  const wide = fc.dictionary(key, fc.oneof(strictJson, fc.array(strictJson)), { noNullPrototype: false });
  const attempt = (write: () => string): string => {
    try {
      return write();
    } catch (error) {
      if (error instanceof JsonError) return error.message;
      throw error;
    }
  };
  const same = (value: JsonValue, mode: 'lenient' | 'strict') =>
    assert.equal(
      attempt(() => [...canonicalParts(value, mode)].join('')),
      attempt(() => encodeCanonical(value, mode)),
    );
  fc.assert(
    fc.property(fc.oneof(strictJson, wide), (value) => same(value, 'strict')),
    runs,
  );
  const odd = [
    '{"b":[1.0,[1e2]],"a":1.50}',
    '{"b":[1.0]}',
    '[1e3]',
    '{"b":["\\ud800"]}',
    '{"\\ud800":1}',
    '7',
    '{}',
    '{"a":[]}',
  ];
  for (const text of odd) for (const mode of ['lenient', 'strict'] as const) same(parseJson(text, 'lenient'), mode);
  const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as JsonValue;
  for (const depth of [97, 98, 99, 100]) same({ a: [nested(depth)], b: nested(depth) }, 'lenient');
});

const looseNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.bigInt().map(String),
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?$/),
);

test('lenient numbers, once canonical, stay as they are', () => {
  const property = fc.property(looseNumber, (number) => {
    const once = encodeCanonical(parseJson(`{"a":[${number}]}`, 'lenient'), 'lenient');
    assert.equal(encodeCanonical(parseJson(once, 'lenient'), 'lenient'), once);
    assert.equal(Number(once.slice(6, -2)) + 0, Number(number) + 0);
  });
  fc.assert(property, runs);
  // Computed, so that there is no spelling to keep.
  assert.equal(encodeCanonical([2 ** 60, 0.5, -0], 'lenient'), '[1152921504606846976,0.5,0]');
});

test('in plain JSON numbers are what they are worth, and no spelling is kept', () => {
  for (const [text, worth] of [
    ['[1.0,1e3,2.50,-0]', '[1,1000,2.5,0]'],
    ['[9007199254740993]', '[9007199254740992]'],
  ] as const) {
    for (const parsed of [parseJson(text), parseJson(text, 'plain')]) {
      assert.equal(encodeCanonical(parsed, 'lenient'), worth);
    }
  }
  // What is too large for one is refused by whoever writes it.
  for (const mode of ['plain', 'lenient'] as const) assert.deepEqual(parseJson('[1e400]', mode), [Infinity]);
});

test('strict takes exactly the numbers that are spelled canonically', () => {
  const property = fc.property(looseNumber, (number) => {
    const canonical = /^(0|-?[1-9][0-9]*)$/.test(number) && Number.isSafeInteger(Number(number));
    const attempt = () => encodeCanonical(parseJson(`[1,${number}]`, 'strict'));
    if (canonical) assert.equal(attempt(), `[1,${number}]`);
    else assert.throws(attempt, JsonError);
    // What was parsed leniently is judged no differently.
    const late = () => encodeCanonical(parseJson(`[1,${number}]`, 'lenient'), 'strict');
    if (canonical) assert.equal(late(), `[1,${number}]`);
    else assert.throws(late, JsonError);
  });
  fc.assert(property, runs);
});

test('parsing throws nothing but its own error', () => {
  const almostJson = fc
    .array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        ':',
        ',',
        '\\u',
        'd800',
        '1',
        '-',
        '0',
        '.',
        'e',
        'null',
        '__proto__',
        ' ',
      ),
    )
    .map((tokens) => tokens.join(''));
  const input = fc.oneof(
    fc.string({ unit: 'binary' }),
    almostJson,
    almostJson.map((text) => `{"a":${text}}`),
  );
  const property = fc.property(input, fc.constantFrom<JsonMode>('plain', 'lenient', 'strict'), (input, mode) => {
    try {
      encodeCanonical(parseJson(input, mode), mode === 'strict' ? 'strict' : 'lenient');
    } catch (error) {
      assert.ok(error instanceof JsonError, String(error));
    }
  });
  fc.assert(property, runs);
});

test('what is no text in Unicode is refused by strict parsing alone', () => {
  for (const text of ['["\\ud800"]', '["\\ud800",1.0]', '["\ud800"]']) {
    for (const mode of ['plain', 'lenient'] as const) assert.equal((parseJson(text, mode) as string[])[0], '\ud800');
    assert.throws(() => parseJson(text, 'strict'), { name: 'JsonError' });
  }
  for (const text of [
    '["a",["\\udfff"],"b"]',
    '{"a":"b","c":"\\uD800"}',
    '["\\ud800"," 1.5"]',
    '{"c":"\\ud800","a":"b"}',
    '{"a":[{"\\udbff":1},{}]}',
    '[1,{"a":{"b":1,"\\uDC00":"c"}}]',
  ]) {
    assert.throws(() => parseJson(text, 'strict'), { name: 'JsonError', reason: 'lone-surrogate' }, text);
  }
});

test('nesting of any depth is refused without exhausting the stack', () => {
  for (const open of ['[', '{"a":']) {
    for (const depth of [101, 5000, 1_000_000]) {
      const text = open.repeat(depth) + (open === '[' ? '' : '1') + (open === '[' ? ']' : '}').repeat(depth);
      for (const mode of ['plain', 'lenient', 'strict'] as const) {
        assert.throws(() => parseJson(text, mode), { name: 'JsonError', reason: 'too-deep' });
      }
    }
  }
});

function depthOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('how deep a text nests is seen without parsing it, whatever its strings contain', () => {
  const brackets = fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', 'a') });
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      brackets,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(brackets, tie('value'), { maxKeys: 3 }),
    ),
  }));
  const property = fc.property(value, fc.nat({ max: 6 }), (value, limit) => {
    const bytes = Buffer.from(JSON.stringify(value));
    assert.equal(nestsTooDeep(bytes, limit), depthOf(value) > limit);
  });
  fc.assert(property, runs);
  for (const [text, depth] of [
    ['[{},{},{},[]]', 2],
    ['{"a":{},"b":[],"c":{}}', 2],
    ['[[],[],[[]],[]]', 3],
    [String.raw`["[[[","\"[[{","{"]`, 1],
    [String.raw`["\\\\",[],"\\"]`, 2],
    ['', 0],
    ['"[[["', 0],
    ['[', 1],
  ] as const) {
    assert.equal(nestsTooDeep(Buffer.from(text), depth), false, text);
    if (depth > 0) assert.equal(nestsTooDeep(Buffer.from(text), depth - 1), true, text);
  }
  const nested = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
  assert.equal(nestsTooDeep(nested(maxJsonDepth)), false);
  assert.equal(nestsTooDeep(nested(maxJsonDepth + 1)), true);
});

test('code points compare and count as UTF-8 does', () => {
  const anyText = fc.string({ unit: 'binary' });
  const rising = ['', '\0', '\x7f', '\x80', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{103ff}'];
  rising.push('\u{10400}', '\u{10fc00}', '\u{10ffff}');
  const alone = ['\ud800', '\udbff', '\udc00', '\udfff', '\ud7ff', '\ue000', 'a', ''];
  for (const first of alone) {
    for (const second of alone) assert.equal(utf8Length(first + second), Buffer.byteLength(first + second));
  }
  for (const [at, text] of rising.entries()) {
    assert.equal(utf8Length(text), Buffer.byteLength(text));
    for (const [before, other] of rising.entries()) {
      assert.equal(Math.sign(compareCodePoints(other, text)), Math.sign(before - at), `${before} ${at}`);
    }
  }
  const property = fc.property(anyText, anyText, (a, b) => {
    const wellFormed = a.isWellFormed() && b.isWellFormed();
    if (wellFormed) assert.equal(Math.sign(compareCodePoints(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.equal(utf8Length(a), Buffer.byteLength(a));
    for (const limit of [0, a.length, utf8Length(a) - 1, utf8Length(a)]) {
      assert.equal(exceedsUtf8(a, limit), Buffer.byteLength(a) > limit);
    }
  });
  fc.assert(property, runs);
});

test('objects have no prototype, so that no key finds anything inherited', () => {
  const parsed = parseJson('{"a":{"__proto__":{"b":1}},"c":[{}]}') as { a: Record<string, unknown>; c: object[] };
  for (const object of [parsed, parsed.a, parsed.a['__proto__'] as object, parsed.c[0] ?? parsed.c]) {
    assert.equal(Object.getPrototypeOf(object), null);
  }
  assert.equal('toString' in parsed, false);
  assert.deepEqual(Object.keys(parsed.a), ['__proto__']);
});
