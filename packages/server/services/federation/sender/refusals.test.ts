import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FederationError, type Refusal } from '../client/federation-error.ts';
import type { Transaction } from './backlog.ts';
import { createRefusals } from './refusals.ts';

function refusal(status: number): FederationError {
  const answer: Refusal = { status, errcode: undefined, error: undefined, body: {}, retryAfter: undefined };
  return new FederationError('refused', 'refused', { refusal: answer });
}

function transaction(pdus: readonly string[], edus: readonly string[] = []): Transaction {
  const attempt = { txnId: 't', events: 1, receipts: 1, stored: undefined };
  return { attempt, parts: { pdus, edus }, stored: [], entries: [] };
}

test('a transaction that is refused again and again is divided, and what is left of it given up', () => {
  const refusals = createRefusals();
  const large = transaction(['1', '2'], ['3']);
  assert.deepEqual(
    [1, 2, 3].map(() => refusals.refused(refusal(400), large)),
    ['retry', 'retry', 'divide'],
  );
  assert.equal(refusals.isCautious(), true);
  const small = transaction(['1']);
  assert.deepEqual(
    [1, 2, 3].map(() => refusals.refused(refusal(413), small)),
    ['retry', 'retry', 'give-up'],
  );
  for (let count = 0; count < 3; count++) refusals.delivered();
  assert.equal(refusals.isCautious(), false);
});

test('a server that is out of order is asked again for ever, and success starts anew', () => {
  const refusals = createRefusals();
  const one = transaction(['1']);
  const errors = [refusal(500), refusal(429), refusal(401), new FederationError('timeout', 'late')];
  for (const error of [...errors, ...errors]) assert.equal(refusals.refused(error, one), 'retry');
  refusals.refused(refusal(400), one);
  refusals.refused(refusal(400), one);
  refusals.delivered();
  assert.equal(refusals.refused(refusal(400), one), 'retry');
});
