import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { encodeCanonical, parseJson, parseServerName, signingKeyFromSeed } from '@portico/protocol';
import { readKeyAnswer, type ServerKeysAnswer } from './key-answer.ts';
import { createOwnKeys } from './own-keys.ts';

const serverName = parseServerName('a.org');
const key = signingKeyFromSeed('ed25519:now', randomBytes(32));
const old = signingKeyFromSeed('ed25519:then', randomBytes(32));
const hour = 60 * 60_000;

test('what is published is signed, canonical, and has the old keys', () => {
  assert.ok(serverName);
  const oldKeys = [
    { keyId: 'ed25519:then', publicKey: old.publicKey, expiredTs: 7 },
    // One that is in use again is not old.
    { keyId: 'ed25519:now', publicKey: key.publicKey, expiredTs: 7 },
  ];
  const text = createOwnKeys(serverName, key, oldKeys, () => 1000).answer();
  const answer = parseJson(text);
  // Suites verify the signature over the text as it is.
  assert.equal(encodeCanonical(answer), text);
  assert.deepEqual(readKeyAnswer(answer as unknown as ServerKeysAnswer, 'a.org', false), [
    { keyId: 'ed25519:now', publicKey: key.publicKey, expiredTs: undefined },
    { keyId: 'ed25519:then', publicKey: old.publicKey, expiredTs: 7 },
  ]);
});

test('an answer is signed again before it gets old', () => {
  assert.ok(serverName);
  let now = 0;
  const own = createOwnKeys(serverName, key, [], () => now);
  const validity = (): number => (parseJson(own.answer()) as unknown as ServerKeysAnswer).valid_until_ts - now;
  const first = own.answer();
  for (; now < 100 * hour; now += hour) assert.ok(validity() > 11 * hour && validity() <= 24 * hour);
  assert.notEqual(own.answer(), first);
});
