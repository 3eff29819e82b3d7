import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { leaveOutNulls } from './optional-nulls.ts';

const leave = leaveOutNulls(
  Type.Object({
    name: Type.String(),
    reason: Type.Optional(Type.String()),
    either: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
    status: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    anything: Type.Optional(Type.Unknown()),
  }),
);

test('a field that may be left out is left out where it is null', () => {
  const body = { name: 'x', reason: null, either: null, more: null };
  assert.deepEqual({ ...(leave(body) as object) }, { name: 'x', more: null });
  assert.equal(body.reason, null, 'what was sent is not touched');
});

test('one that can be null stays, and so does one that must be there', () => {
  for (const body of [{ name: null }, { name: 'x', status: null }, { name: 'x', anything: null }]) {
    assert.equal(leave(body), body);
  }
});

test('what is no object stays as it is', () => {
  for (const body of [null, undefined, 'text', [null], 1]) assert.equal(leave(body), body);
});
