import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type JsonObject, signJson, signingKeyFromSeed } from '@portico/protocol';
import { readKeyAnswer, type ServerKeysAnswer } from './key-answer.ts';

const one = signingKeyFromSeed('ed25519:one', randomBytes(32));
const two = signingKeyFromSeed('ed25519:two', randomBytes(32));
const base = {
  server_name: 'a.org',
  verify_keys: { 'ed25519:one': { key: one.publicKey } },
  old_verify_keys: { 'ed25519:old': { key: two.publicKey, expired_ts: 5 } },
  valid_until_ts: 1000,
};
const signed = (answer: JsonObject, ...keys: (typeof one)[]): ServerKeysAnswer =>
  keys.reduce<JsonObject>((object, key) => signJson(object, 'a.org', key), answer) as unknown as ServerKeysAnswer;
const ids = (answer: ServerKeysAnswer, fromNotary = false): readonly string[] | undefined =>
  readKeyAnswer(answer, 'a.org', fromNotary)?.map(({ keyId }) => keyId);

test('current and old keys are read', () => {
  assert.deepEqual(readKeyAnswer(signed(base, one), 'a.org', false), [
    { keyId: 'ed25519:one', publicKey: one.publicKey, expiredTs: undefined },
    { keyId: 'ed25519:old', publicKey: two.publicKey, expiredTs: 5 },
  ]);
});

test('an answer counts only if it is signed, by its server, as it is', () => {
  const good = signed(base, one);
  assert.equal(readKeyAnswer(good, 'b.org', false), undefined, 'of another server');
  const byBoth = signJson(good, 'b.org', one) as unknown as ServerKeysAnswer;
  assert.equal(
    readKeyAnswer(byBoth, 'b.org', false),
    undefined,
    'of another server, signed in the name of this one too',
  );
  assert.equal(ids({ ...good, signatures: {} }), undefined, 'unsigned');
  assert.equal(ids({ ...good, valid_until_ts: 2000 }), undefined, 'changed');
  assert.equal(ids(signed({ ...base, verify_keys: { 'ed25519:two': { key: two.publicKey } } }, one)), undefined);
  const both = {
    ...base,
    verify_keys: { 'ed25519:one': { key: one.publicKey }, 'ed25519:two': { key: two.publicKey } },
  };
  const halfWrong = signed(both, one, two) as unknown as { signatures: { 'a.org': Record<string, string> } };
  halfWrong.signatures['a.org']['ed25519:two'] = halfWrong.signatures['a.org']['ed25519:one'] ?? '';
  assert.equal(ids(halfWrong as unknown as ServerKeysAnswer), undefined, 'one of two signatures wrong');
});

test('an old key that a server still has is not old', () => {
  const answer = { ...base, old_verify_keys: { 'ed25519:one': { key: two.publicKey, expired_ts: 5 } } };
  assert.deepEqual(readKeyAnswer(signed(answer, one), 'a.org', false), [
    { keyId: 'ed25519:one', publicKey: one.publicKey, expiredTs: undefined },
  ]);
});

test('from a notary, a key that has not signed counts for nothing', () => {
  const both = {
    ...base,
    verify_keys: { 'ed25519:one': { key: one.publicKey }, 'ed25519:two': { key: two.publicKey } },
  };
  assert.deepEqual(ids(signed(both, one)), ['ed25519:one', 'ed25519:two', 'ed25519:old']);
  assert.deepEqual(ids(signed(both, one), true), ['ed25519:one', 'ed25519:old']);
  assert.deepEqual(ids(signed(both, one, two), true), ['ed25519:one', 'ed25519:two', 'ed25519:old']);
});

test('a key that everybody can have is none', () => {
  const leaked = 'l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og=';
  const answer = {
    ...base,
    verify_keys: { 'ed25519:one': { key: one.publicKey }, 'ed25519:leaked': { key: leaked } },
    old_verify_keys: { 'ed25519:leaked2': { key: leaked.slice(0, -1), expired_ts: 5 } },
  };
  assert.deepEqual(ids(signed(answer, one)), ['ed25519:one']);
});

test('what is no key is none, and a flood of keys is cut', () => {
  const bad = { 'ed25519:short': { key: 'AAAA' }, 'rsa:1': { key: one.publicKey }, 'ed25519:no base64': { key: '*' } };
  assert.deepEqual(ids(signed({ ...base, verify_keys: { ...base.verify_keys, ...bad } }, one)), [
    'ed25519:one',
    'ed25519:old',
  ]);
  const flood = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`ed25519:${index}`, { key: two.publicKey, expired_ts: 1 }]),
  );
  assert.ok((ids(signed({ ...base, old_verify_keys: flood }, one))?.length ?? 0) < 100);
});
