import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runSteps, stepSize } from '../steps.ts';
import { memberSteps } from './members-in-steps.ts';

const names = ['a', 'b', '__proto__'];
const read = (text: string) => {
  const found = runSteps(memberSteps(text, names));
  if (found === undefined) return undefined;
  return Object.fromEntries(
    Array.from(found, ([name, member]) => {
      if (member.kind === 'object') return [name, { ...member, keys: [...new Set(member.keys)].toSorted() }];
      const isLong = member.kind === 'scalar' && JSON.stringify(member.value ?? '').length > 80;
      return [name, isLong ? { ...member, value: undefined } : member];
    }),
  );
};

function memberOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    return { kind: 'list', texts: value.map((entry: unknown) => (typeof entry === 'string' ? entry : null)) };
  }
  if (typeof value === 'object' && value !== null) return { kind: 'object', keys: Object.keys(value).toSorted() };
  return { kind: 'scalar', value: JSON.stringify(value).length > 80 ? undefined : value };
}

/** The same by reading all of it at once. */
function readAtOnce(text: string): unknown {
  const value = JSON.parse(text) as Record<string, unknown>;
  const found: [string, unknown][] = [];
  for (const name of names) {
    if (!Object.hasOwn(value, name)) continue;
    const member = value[name];
    found.push([name, memberOf(member)]);
  }
  return Object.fromEntries(found);
}

test('members read in pieces are those that JSON has', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', ',', ']', '}', '[', '{', '\n', 'ü', '\ud800', ':') });
  const entry = fc.oneof(text, text, text, fc.jsonValue());
  const member = fc.oneof(fc.array(entry), fc.array(entry), fc.jsonValue());
  const key = fc.oneof(fc.constantFrom('a', 'b', 'c'), text);
  const spaces = fc.constantFrom(undefined, 1, '\t');
  fc.assert(
    fc.property(fc.dictionary(key, member), spaces, (value, space) => {
      const json = JSON.stringify(value, undefined, space);
      assert.deepEqual(read(json), readAtOnce(json));
    }),
    { numRuns: 500 },
  );
});

test('what is odd about the JSON itself', () => {
  for (const json of [
    '{}',
    ' { } ',
    '{"a":[]}',
    '{"a":[ ] , "a" : ["x"]}',
    '{"\\u0061":["\\u0061",[["x"],"y"],{"b":["z"]}]}',
  ]) {
    assert.deepEqual(read(json), readAtOnce(json), json);
  }
  for (const text of ['', '[]', '"a"', '{"a"', '{"a":[', '{"a":["x', '{"a":["x\\"]}', '{a:[]}', '{"a":{"b":', 'null']) {
    assert.equal(read(text), undefined, text);
  }
});

test('no piece is much longer than a step', () => {
  const entries = Array.from({ length: 50_000 }, (_, index) => (index % 3 === 0 ? '*' : `@x${index}:a`));
  const nested = entries.map((entry) => [[entry]]);
  for (const value of [
    { a: entries },
    { c: entries },
    { a: nested },
    { a: { x: nested } },
    { a: [nested] },
    { a: Object.fromEntries(entries.map((each) => [each, {}])) },
  ]) {
    const json = JSON.stringify(value);
    let steps = 0;
    const reading = memberSteps(json, names);
    while (reading.next().done !== true) steps += 1;
    assert.ok(steps >= Math.floor(json.length / stepSize) - 2, `${steps} steps for ${json.length} characters`);
  }
});
