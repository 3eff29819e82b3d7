import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson, type JsonMode } from './parse-json.ts';

const modes: readonly JsonMode[] = ['plain', 'lenient', 'strict'];

test('a key of one escape sequence is itself, whatever keys were seen before', () => {
  for (const mode of modes) {
    for (let round = 0; round < 30; round++) parseJson('{"before":1,"\\\\":0}', mode);
    for (const key of ['"', '\\', '\n', '\t', '\b', '\f', '\r', 'A', '\0']) {
      const escaped = key === 'A' ? '\\u0041' : JSON.stringify(key).slice(1, -1);
      assert.deepEqual(Object.keys(parseJson(`{"before":1,"${escaped}" :0}`, mode) as object), ['before', key]);
    }
  }
});

test('of keys that are the same once unescaped the last one counts', () => {
  for (const mode of modes) {
    assert.deepEqual({ ...(parseJson('{"\\u0041":1,"A":2}', mode) as object) }, { A: 2 });
    assert.deepEqual({ ...(parseJson('{"A":2,"\\u0041":1}', mode) as object) }, { A: 1 });
  }
});

test('texts that look like such keys stay as they are', () => {
  const value = { 'a"\n': ['"\n":', '\\'], '\\"': '"', nested: [{ '\n': { '\t': '\n' } }] };
  for (const mode of modes) assert.equal(JSON.stringify(parseJson(JSON.stringify(value), mode)), JSON.stringify(value));
});

test('nesting beyond the limit is refused, not overflowed', () => {
  const deep = `${'{"\\n":'.repeat(50_000)}0${'}'.repeat(50_000)}`;
  assert.throws(() => parseJson(deep), { name: 'JsonError' });
});
