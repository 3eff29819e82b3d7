import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '@portico/storage';
import { MatrixError } from '../errors/matrix-error.ts';
import { errorTable } from '../errors/table.ts';
import { errorResponse } from './error-response.ts';

test('a write that did not happen is a 503 that says when to try again', () => {
  for (const reason of ['overloaded', 'unavailable', 'disk-full', 'outcome-unknown'] as const) {
    const { status, body, retryAfter, isDefect } = errorResponse(new StorageError(reason, 'disk /dev/secret'));
    assert.deepEqual([status, body['errcode'], isDefect], [503, 'M_UNKNOWN', false], reason);
    assert.ok(retryAfter !== undefined && retryAfter >= 1 && body['retry_after_ms'] === retryAfter * 1000);
    assert.equal(JSON.stringify(body).includes('secret'), false);
  }
});

test('a guard that is a reason refuses with it; another one is a defect', () => {
  const taken = errorResponse(new StorageError('guard-failed', 'x', { guard: 'user.taken' }));
  assert.deepEqual([taken.status, taken.body.errcode, taken.isDefect], [400, 'M_USER_IN_USE', false]);
  for (const guard of ['room.head', 'toString', undefined]) {
    const other = errorResponse(new StorageError('guard-failed', 'x', guard === undefined ? {} : { guard }));
    assert.deepEqual([other.status, other.isDefect], [500, true]);
  }
});

test('anything else is opaque', () => {
  for (const thrown of [new Error('secret'), 'secret', undefined, { code: 'FST_ERR_BAD_URL' }, null]) {
    const { status, body, isDefect } = errorResponse(thrown);
    assert.deepEqual([status, isDefect], [500, true]);
    assert.deepEqual(body, { errcode: 'M_UNKNOWN', error: 'Internal server error.' });
  }
});

test('every reason has a status, and the shape of the spec unless it is a challenge', () => {
  for (const [reason, entry] of Object.entries(errorTable)) {
    const { status, body } = errorResponse(new MatrixError(reason as keyof typeof errorTable));
    assert.ok(status >= 400 && status < 600, reason);
    if (entry.errcode === undefined) continue;
    assert.match(JSON.stringify(body.errcode), /^"(([A-Z0-9]+\.)*M(_|SC\d+_)|IO_ELEMENT_MSC\d+_)[A-Z_]+"$/, reason);
    assert.ok(typeof body.error === 'string' && body.error.length > 0, reason);
  }
});
