import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRepeatedBodies } from './repeated-bodies.ts';

const bytes = (text: string) => Buffer.from(text);

test('the same bytes are the same value, and no others are', () => {
  const bodies = createRepeatedBodies();
  const texts = [
    '{"a":1}',
    '{"a":2}',
    '{"a":1} ',
    '{"b":1}',
    '{"a":"é"}',
    '{"a":"Ã©"}',
    '[]',
    '"text"',
    `{"a":"${'x'.repeat(20_000)}"}`,
  ];
  for (const text of texts) {
    const first = bodies.parse(bytes(text));
    assert.equal(JSON.stringify(first), JSON.stringify(JSON.parse(text)), text);
    const isKept = typeof first === 'object' && text.length < 16_384;
    assert.equal(bodies.parse(bytes(text)) === first, isKept || typeof first === 'string', text.slice(0, 20));
  }
});

test('what is wrong is wrong each time, and what was not checked is not taken for it', () => {
  const bodies = createRepeatedBodies();
  for (const _ of [1, 2]) {
    assert.equal(bodies.parse(bytes('')), undefined);
    for (const text of ['{', '{"a":1}x', 'nul', '\u00ff']) assert.throws(() => bodies.parse(bytes(text)), text);
    assert.throws(() => bodies.parse(Buffer.from([0x22, 0xff, 0x22])));
  }
  const body = bodies.parse(bytes('{"a":1}'));
  assert.equal(bodies.isChecked(body), false);
  bodies.noteChecked(body);
  assert.equal(bodies.isChecked(bodies.parse(bytes('{"a":1}'))), true);
  assert.equal(bodies.isChecked({ a: 1 }), false);
  for (const value of [undefined, null, 1, 'text']) {
    bodies.noteChecked(value);
    assert.equal(bodies.isChecked(value), false);
  }
});

test('they are bounded', () => {
  const bodies = createRepeatedBodies();
  const first = bodies.parse(bytes('{"n":-1}'));
  const filler = 'x'.repeat(10_000);
  for (let n = 0; n < 600; n++) void bodies.parse(bytes(`{"n":${n},"filler":"${filler}"}`));
  assert.notEqual(bodies.parse(bytes('{"n":-1}')), first);
});
