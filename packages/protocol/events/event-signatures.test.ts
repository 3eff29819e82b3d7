import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBase64 } from '../crypto/base64.ts';
import { parseVerifyKey, signingKeyFromSeed, signText, type SigningKey, type VerifyKey } from '../crypto/ed25519.ts';
import { signJson, withSignature } from '../crypto/sign-json.ts';
import { encodeCanonical } from '../json/canonical.ts';
import type { JsonObject } from '../json/value.ts';
import { findRoomVersion, roomVersions } from '../room-versions/registry.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import {
  hashAndSignEvent,
  isSignedBy,
  signatureChecks,
  signEvent,
  verifyThirdPartyInvite,
} from './event-signatures.ts';
import { checkHash } from './hashes.ts';
import { isKeyValidAt } from './key-validity.ts';

const rules = findRoomVersion('11') as RoomVersionRules;
const keyOf = (id: string, byte: number) => signingKeyFromSeed(`ed25519:${id}`, new Uint8Array(32).fill(byte));
const publicOf = (key: SigningKey) => parseVerifyKey(decodeBase64(key.publicKey) as Uint8Array) as VerifyKey;
const one = keyOf('one', 1);
const two = keyOf('two', 2);
const known: Readonly<Record<string, VerifyKey>> = { 'ed25519:one': publicOf(one), 'ed25519:two': publicOf(two) };
const findKey = (keyId: string) => (Object.hasOwn(known, keyId) ? known[keyId] : undefined);

const event: JsonObject = {
  type: 'm.room.message',
  sender: '@a:a.example',
  room_id: '!r:a.example',
  content: { body: 'hello' },
  depth: 1,
  origin_server_ts: 1,
  prev_events: [],
  auth_events: [],
};
const signed = hashAndSignEvent(rules, event, 'a.example', one);
const isSigned = (event: JsonObject, server = 'a.example') =>
  isSignedBy(signatureChecks(rules, event, server, findKey));

test('a signed event is signed, in full and redacted', () => {
  assert.equal(isSigned(signed), true);
  assert.equal(isSigned({ ...signed, content: {} }), true);
  assert.equal(isSigned({ ...signed, unsigned: { age: 1 } }), true);
});

test('a changed event is not, and a changed content shows in the hash', () => {
  assert.equal(isSigned({ ...signed, depth: 2 }), false);
  assert.equal(isSigned({ ...signed, sender: '@b:a.example' }), false);
  const forged = { ...signed, content: { body: 'goodbye' } };
  assert.equal(isSigned(forged), true);
  assert.equal(checkHash(rules, forged), false);
  assert.equal(checkHash(rules, signed), true);
  assert.equal(
    checkHash(rules, { ...signed, hashes: { sha256: `${(signed.hashes as JsonObject).sha256 as string}=` } }),
    true,
  );
});

test('signatures of other servers, by unknown keys and of unknown algorithms do not count', () => {
  assert.equal(isSigned(signed, 'b.example'), false);
  assert.equal(isSigned(hashAndSignEvent(rules, event, 'a.example', keyOf('three', 3))), false);
  assert.equal(isSigned(withSignature(event, 'a.example', 'rsa:one', 'AAAA')), false);
  assert.equal(isSigned({ ...event, signatures: { 'a.example': ['x'] } }), false);
  assert.equal(isSigned({ ...event, signatures: [] }), false);
  assert.equal(isSigned(event, '__proto__'), false);
});

test('every signature by a known key must be valid', () => {
  const both = signEvent(rules, signed, 'a.example', two);
  assert.equal(isSigned(both), true);
  assert.equal(signatureChecks(rules, both, 'a.example', findKey).length, 2);
  assert.equal(isSigned(withSignature(signed, 'a.example', 'ed25519:two', 'not base64!')), false);
  assert.equal(isSigned(withSignature(signed, 'a.example', 'ed25519:two', 'A'.repeat(86))), false);
  assert.equal(isSigned(withSignature(signed, 'a.example', 'ed25519:unknown', 'not base64!')), true);
});

test('adding a signature keeps those that were there', () => {
  const both = signEvent(rules, signed, 'b.example', two);
  assert.equal(isSigned(both, 'a.example'), true);
  assert.equal(isSigned(both, 'b.example'), true);
});

test('a key counts until it expired, and since version 5 until the end of its validity', () => {
  const day = 24 * 60 * 60 * 1000;
  const now = 100 * day;
  for (const rules of roomVersions) {
    const counts = (key: Parameters<typeof isKeyValidAt>[1], at: number) => isKeyValidAt(rules, key, at, now);
    assert.equal(counts({ expiredTs: 50 * day }, 50 * day), true);
    assert.equal(counts({ expiredTs: 50 * day }, 50 * day + 1), false);
    assert.equal(counts({ validUntilTs: 101 * day }, now), true);
    assert.equal(counts({ validUntilTs: 99 * day }, now), !rules.enforceKeyValidity);
    assert.equal(counts({ validUntilTs: 500 * day }, now + 7 * day), true);
    assert.equal(counts({ validUntilTs: 500 * day }, now + 7 * day + 1), !rules.enforceKeyValidity);
    for (const at of [now, 0, -1]) assert.equal(counts({}, at), !rules.enforceKeyValidity);
  }
});

test('a third-party invite is verified by the keys of its event, in either alphabet', () => {
  const invite = signJson({ mxid: '@b:b.example', token: 'abc' }, 'id.example', one);
  const urlSafe = one.publicKey.replaceAll('+', '-').replaceAll('/', '_');
  for (const key of [one.publicKey, urlSafe, `${one.publicKey}=`]) {
    assert.equal(verifyThirdPartyInvite(invite, 'id.example', 'ed25519:one', key), true);
  }
  assert.equal(verifyThirdPartyInvite(invite, 'id.example', 'ed25519:one', two.publicKey), false);
  assert.equal(verifyThirdPartyInvite({ ...invite, token: 'x' }, 'id.example', 'ed25519:one', one.publicKey), false);
  for (const key of ['', 'AAAA', 'not base64!']) {
    assert.equal(verifyThirdPartyInvite(invite, 'id.example', 'ed25519:one', key), false);
  }
});

test('what is signed is the canonical text and nothing else', () => {
  const object = { b: 1, a: '\ufb01', '\u{1f600}': 2 };
  const expected = signText(one, encodeCanonical(object));
  const { signatures } = signJson({ ...object, unsigned: { x: 1 } }, 'a.example', one) as { signatures: JsonObject };
  assert.deepEqual(JSON.parse(JSON.stringify(signatures)), { 'a.example': { 'ed25519:one': expected } });
});
