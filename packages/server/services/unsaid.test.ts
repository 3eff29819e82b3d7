import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { parseQueryString, queryReader } from '../http/query-string.ts';
import { pageToken } from '../http/schemas.ts';
import { leaveOutUnsaid } from './unsaid.ts';

const leave = leaveOutUnsaid(
  Type.Object({
    name: Type.String(),
    reason: Type.Optional(Type.String()),
    either: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
    status: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    anything: Type.Optional(Type.Unknown()),
    from: pageToken,
  }),
);

test('a field that may be left out is left out where it is null', () => {
  const body = { name: 'x', reason: null, either: null, more: null };
  assert.deepEqual({ ...(leave(body) as object) }, { name: 'x', more: null });
  assert.equal(body.reason, null, 'what was sent is not touched');
});

test('a token is left out where it is empty, other texts are not', () => {
  const body = { name: '', reason: '', from: '', more: '' };
  assert.deepEqual({ ...(leave(body) as object) }, { name: '', reason: '', more: '' });
  assert.deepEqual({ ...(leave({ name: 'x', from: null }) as object) }, { name: 'x' });
  assert.deepEqual(leave({ name: 'x', from: 't' }), { name: 'x', from: 't' });
});

test('of a query too, where it need not be there', () => {
  const schema = Type.Object({
    from: pageToken,
    other: Type.Optional(Type.String()),
    to: Type.String({ minLength: 1 }),
  });
  const read = queryReader(schema);
  assert.deepEqual(read(parseQueryString('from=&other=&to=')), { other: '', to: '' });
  assert.deepEqual(read(parseQueryString('from&other=1&to=2')), { other: '1', to: '2' });
  assert.deepEqual(read(parseQueryString('from=a')), { from: 'a' });
});

test('one that can be null stays, and so does one that must be there', () => {
  for (const body of [{ name: null }, { name: 'x', status: null }, { name: 'x', anything: null }]) {
    assert.equal(leave(body), body);
  }
});

test('what is no object stays as it is', () => {
  for (const body of [null, undefined, 'text', [null], 1]) assert.equal(leave(body), body);
});
