import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCanonical } from './canonical.ts';
import { parseJson, type JsonMode } from './parse-json.ts';
import type { JsonObject } from './value.ts';

const modes: readonly JsonMode[] = ['plain', 'lenient', 'strict'];

test('a key of one escape sequence is itself, whatever keys were seen before', () => {
  // The fault shows where such a key is the first other one after the same keys.
  let count = 0;
  for (const mode of modes) {
    for (const key of ['"', '\\', '\n', '\t', '\b', '\f', '\r', 'A', '\0']) {
      const escaped = key === 'A' ? '\\u0041' : JSON.stringify(key).slice(1, -1);
      for (const blank of ['', ' ', '\n\t']) {
        const before = `before${++count}`;
        for (let round = 0; round < 30; round++) JSON.parse(`{"${before}":1,"\\\\":0}`);
        assert.deepEqual(Object.keys(parseJson(`{"${before}":1,"${escaped}"${blank}:0}`, mode) as object), [
          before,
          key,
        ]);
      }
    }
  }
});

test('of keys that are the same once unescaped the last one counts', () => {
  for (const mode of modes) {
    assert.deepEqual({ ...(parseJson('{"\\u0041":1,"A":2}', mode) as object) }, { A: 2 });
    assert.deepEqual({ ...(parseJson('{"A":2,"\\u0041":1}', mode) as object) }, { A: 1 });
    assert.deepEqual({ ...(parseJson('{"\\u0041":1,"A":2,"\\u0041":3}', mode) as object) }, { A: 3 });
    assert.deepEqual({ ...(parseJson('{"\\u0031":1,"1":2}', mode) as object) }, { 1: 2 });
    assert.deepEqual({ ...(parseJson('{"\\n":1,"\\u000a":2,"\\u000A":3}', mode) as object) }, { '\n': 3 });
    assert.deepEqual({ ...(parseJson('{"\\/":1,"/":2,"\\/":3}', mode) as object) }, { '/': 3 });
  }
});

test('texts that look like such keys stay as they are', () => {
  const value = { 'a"\n': ['"\n":', '\\'], '\\"': '"', nested: [{ '\n': { '\t': '\n' } }] };
  for (const mode of modes) assert.equal(JSON.stringify(parseJson(JSON.stringify(value), mode)), JSON.stringify(value));
});

test('what is put at the end of such keys is told from what others end in', () => {
  const keys = ['a', 'a\0', 'a\0\0', '\0', '\0\0', 'a\0portico', 'u0000', '\\u0000', '"\0', '\n', '"', '\\'];
  for (const mode of modes) {
    for (const odd of ['', '.0']) {
      if (mode === 'strict' && odd !== '') continue;
      const text = `{${keys.map((key, index) => `${JSON.stringify(key)}:${index}${odd}`).join(',')}}`;
      const value = parseJson(text, mode) as JsonObject;
      assert.deepEqual(
        Object.entries(value),
        [...keys.entries()].map(([index, key]) => [key, index]),
      );
      const canonical = encodeCanonical(value, 'lenient');
      if (mode !== 'plain') assert.equal(canonical.match(/:[0-9]+\.0/g)?.length ?? 0, odd === '' ? 0 : keys.length);
    }
  }
});

test('nesting beyond the limit is refused, not overflowed', () => {
  const deep = `${'{"\\n":'.repeat(50_000)}0${'}'.repeat(50_000)}`;
  assert.throws(() => parseJson(deep), { name: 'JsonError' });
});
