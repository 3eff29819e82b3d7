import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signingKeyFromSeed } from '../crypto/ed25519.ts';
import { signJson } from '../crypto/sign-json.ts';
import { parseJson } from '../json/parse-json.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { offeredKeys } from './third-party-invite-keys.ts';
import { findSigningKey } from './third-party-invite-signature.ts';

const key = signingKeyFromSeed('ed25519:0', new Uint8Array(32).fill(1));
const other = signingKeyFromSeed('ed25519:0', new Uint8Array(32).fill(2));
const plain = { mxid: '@bob:b.example', token: 'token' };
const signed = signJson(plain, 'id.example', key);
const isSigned = (object: JsonObject, content: JsonObject) =>
  findSigningKey(object, offeredKeys(content)) !== undefined;

test('what is no key, and what is no signature, is passed over', () => {
  const listed = [null, 'key', {}, { public_key: 5 }, { public_key: '' }, { public_key: 'AAAA' }, { public_key: '*' }];
  assert.equal(isSigned(signed, { public_keys: listed }), false);
  assert.equal(isSigned(signed, { public_key: null, public_keys: [...listed, { public_key: key.publicKey }] }), true);
  assert.equal(isSigned(signed, { public_keys: { public_key: key.publicKey } }), false);
  const { signatures } = signed as { readonly signatures: JsonObject };
  for (const broken of [undefined, null, 'text', [], [signatures], {}, { 'id.example': null }, { 'id.example': [] }]) {
    const without = broken === undefined ? plain : { ...plain, signatures: broken };
    assert.equal(isSigned(without as JsonObject, { public_key: key.publicKey }), false, JSON.stringify(broken));
  }
  const among = { a: null, b: { 'ed25519:1': 5, 'rsa:1': 'AAAA', 'ed25519:2': '*' }, ...signatures };
  assert.equal(isSigned({ ...plain, signatures: among }, { public_key: key.publicKey }), true);
});

test('what has no canonical JSON is signed by nobody, and older versions have floats', () => {
  const content = { public_key: key.publicKey };
  assert.equal(isSigned({ ...signed, lone: '\ud800' }, content), false);
  assert.equal(
    isSigned({ ...signed, token: { deep: parseJson('['.repeat(101) + ']'.repeat(101), 'plain', 101) } }, content),
    false,
  );
  assert.equal(isSigned(signJson({ ...plain, half: 0.5 }, 'id.example', key, 'lenient'), content), true);
});

test('a key that is offered twice is the first of the two, with where to ask for it', () => {
  const offer = (key_validity_url?: JsonValue) => ({
    public_key: key.publicKey,
    ...(key_validity_url !== undefined && { key_validity_url }),
  });
  const urlOf = (...offers: readonly JsonObject[]) =>
    findSigningKey(signed, offeredKeys({ public_keys: offers }))?.validityUrl;
  assert.equal(urlOf(offer('https://first.example'), offer('https://second.example')), 'https://first.example');
  assert.equal(urlOf(offer(), offer('https://second.example')), undefined);
  assert.equal(urlOf(offer(5)), undefined);
});

test('of signatures and keys without end only some are tried', () => {
  const by = (count: number) => {
    const wrong = Array.from({ length: count }, (_, index) => signJson(plain, `${index}.example`, other)['signatures']);
    return { ...plain, signatures: Object.assign({}, ...wrong, signed['signatures']) } as JsonObject;
  };
  assert.equal(isSigned(by(31), { public_key: key.publicKey }), true);
  assert.equal(isSigned(by(32), { public_key: key.publicKey }), false);
  const keys = Array.from({ length: 40 }, (_, index) => ({
    public_key: signingKeyFromSeed('ed25519:0', new Uint8Array(32).fill(10 + index)).publicKey,
  }));
  assert.equal(isSigned(signed, { public_keys: [...keys.slice(0, 31), { public_key: key.publicKey }] }), true);
  assert.equal(isSigned(signed, { public_keys: [...keys.slice(0, 32), { public_key: key.publicKey }] }), false);
});
