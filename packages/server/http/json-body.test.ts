import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonBody } from './json-body.ts';

const parse = (text: string) => parseJsonBody(Buffer.from(text));
const tooDeep = { reason: 'request.bad-json' };
const nested = (depth: number, padding = '') => `${'['.repeat(depth)}"${padding}"${']'.repeat(depth)}`;

test('an empty body is none', () => assert.equal(parse(''), undefined));

test('depth is limited in short texts and in long ones', () => {
  for (const padding of ['', '[{\\"'.repeat(2000)]) {
    assert.doesNotThrow(() => parse(nested(100, padding)));
    assert.throws(() => parse(nested(101, padding)), tooDeep);
  }
});

test('brackets in strings are not nesting, wherever the strings end', () => {
  const texts = ['['.repeat(5000), '\\"['.repeat(2000), '\\\\', `"${'{'.repeat(5000)}`];
  const array = JSON.stringify(texts);
  assert.deepEqual(parse(array), texts);
});

test('a megabyte of brackets is refused without being built', async () => {
  const bytes = Buffer.from('['.repeat(1024 * 1024));
  const before = process.threadCpuUsage();
  for (let n = 0; n < 5; n++) await assert.rejects(async () => parseJsonBody(bytes), tooDeep);
  const { user } = process.threadCpuUsage(before);
  assert.ok(user < 100_000, `${user} µs`);
});

test('others have their turn while a long body is parsed', async () => {
  const list = Array.from({ length: 40_000 }, (_, n) => ({ [`@person-${n}:example.org`]: ['A', 1.5] }));
  let turns = 0;
  let isParsed = false;
  const watch = (): void => {
    turns++;
    if (!isParsed) setImmediate(watch);
  };
  setImmediate(watch);
  const value = await parse(JSON.stringify(list));
  isParsed = true;
  assert.deepEqual(JSON.parse(JSON.stringify(value)), list);
  assert.ok(turns > 5, `${turns} turns`);
  await assert.rejects(async () => parse(`${JSON.stringify(list)},`), { reason: 'request.not-json' });
});

test('what servers carry for others may nest a little deeper', () => {
  const bytes = Buffer.from(nested(128));
  assert.ok(Array.isArray(parseJsonBody(bytes, 128)));
  assert.throws(() => parseJsonBody(bytes), tooDeep);
  assert.throws(() => parseJsonBody(Buffer.from(nested(129)), 128), tooDeep);
});

test('what is not UTF-8 or not JSON', () => {
  assert.throws(() => parseJsonBody(Buffer.from([0x22, 0xc3, 0x22])), { reason: 'request.not-json' });
  assert.throws(() => parse('{"a":}'), { reason: 'request.not-json' });
});
