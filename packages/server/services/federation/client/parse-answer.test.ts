import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCanonical, type JsonValue } from '@portico/protocol';
import { parseAnswer, parseLongAnswer, parseRefusal } from './parse-answer.ts';

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const broken = ['', '{', '{"a":1}x', nested(129), '\ufeff{}'];

test('an answer may nest deeper than the events in it, up to a limit', () => {
  assert.deepEqual(parseAnswer(Buffer.from(nested(2))), [[]]);
  assert.ok(Array.isArray(parseAnswer(Buffer.from(nested(128)))));
  for (const text of broken) assert.equal(parseAnswer(Buffer.from(text)), undefined, text);
  assert.equal(parseAnswer(Buffer.from([0x22, 0xff, 0x22])), undefined);
});

test('a long answer is taken for what a short one would be', async () => {
  const blank = Buffer.alloc(65_536, ' ');
  const parse = (bytes: Uint8Array) => parseLongAnswer(Buffer.concat([blank, bytes]));
  const value = (await parse(Buffer.from('{"depth":1.0}'))) as JsonValue;
  assert.equal(encodeCanonical(value, 'lenient'), '{"depth":1.0}');
  assert.ok(Array.isArray(await parse(Buffer.from(nested(128)))));
  for (const text of broken) assert.equal(await parse(Buffer.from(text)), undefined, text);
  assert.equal(await parse(Buffer.from([0x22, 0xff, 0x22])), undefined);
  assert.equal(await parseLongAnswer(blank), undefined);
});

test('a refusal says when to come again, in its body or else in its header', () => {
  const refusal = (body: string, header?: string) =>
    parseRefusal(429, header === undefined ? {} : { 'retry-after': header }, Buffer.from(body));
  for (const [body, header, milliseconds] of [
    ['{"retry_after_ms":0}', '7', 0],
    ['{"retry_after_ms":1500}', undefined, 1500],
    ['{"retry_after_ms":-1}', '7', 7000],
    ['{"retry_after_ms":"1"}', '0', 0],
    ['[]', '7', 7000],
    ['no JSON', 'soon', undefined],
    ['{}', '-1', undefined],
    ['{}', undefined, undefined],
  ] as const) {
    assert.equal(refusal(body, header).retryAfter, milliseconds, `${body} ${header}`);
  }
  const { status, errcode, error } = refusal(JSON.stringify({ errcode: 'M'.repeat(256), error: 'e'.repeat(1001) }));
  assert.deepEqual([status, errcode?.length, error?.length], [429, 255, 1000]);
  const none = refusal('{"errcode":7,"error":null}');
  assert.deepEqual([none.errcode, none.error, Object.keys(none.body)], [undefined, undefined, ['errcode', 'error']]);
});
