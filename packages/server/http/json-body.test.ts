import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonBody } from './json-body.ts';

const parse = (text: string) => parseJsonBody(Buffer.from(text));
const tooDeep = { reason: 'request.bad-json' };
const nested = (depth: number, padding = '') => `${'['.repeat(depth)}"${padding}"${']'.repeat(depth)}`;

test('an empty body is none', () => assert.equal(parse(''), undefined));

test('depth is limited in short texts and in long ones', () => {
  for (const padding of ['', '[{\\"'.repeat(2000)]) {
    parse(nested(100, padding));
    assert.throws(() => parse(nested(101, padding)), tooDeep);
  }
});

test('brackets in strings are not nesting, wherever the strings end', () => {
  const texts = ['['.repeat(5000), '\\"['.repeat(2000), '\\\\', `"${'{'.repeat(5000)}`];
  const array = JSON.stringify(texts);
  assert.deepEqual(parse(array), texts);
});

test('a megabyte of brackets is refused without being built', () => {
  const bytes = Buffer.from('['.repeat(1024 * 1024));
  const before = process.threadCpuUsage();
  for (let n = 0; n < 5; n++) assert.throws(() => parseJsonBody(bytes), tooDeep);
  const { user } = process.threadCpuUsage(before);
  assert.ok(user < 100_000, `${user} µs`);
});

test('what is not UTF-8 or not JSON', () => {
  assert.throws(() => parseJsonBody(Buffer.from([0x22, 0xc3, 0x22])), { reason: 'request.not-json' });
  assert.throws(() => parse('{"a":}'), { reason: 'request.not-json' });
});
