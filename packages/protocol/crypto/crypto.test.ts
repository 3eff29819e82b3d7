import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeBase64, encodeBase64, encodeBase64Url } from './base64.ts';
import { parseVerifyKey, signingKeyFromSeed, signText, verifyText, type VerifyKey } from './ed25519.ts';
import { parseJson } from '../json/parse-json.ts';
import type { JsonObject } from '../json/value.ts';
import { sha256Base64, sha256Base64Url } from './sha256.ts';
import { signaturesOf, signedText, signJson, verifySignedJson } from './sign-json.ts';

/** {@link https://spec.matrix.org/v1.19/appendices/#unpadded-base64} */
const examples: Readonly<Record<string, string>> = {
  '': '',
  f: 'Zg',
  fo: 'Zm8',
  foo: 'Zm9v',
  foob: 'Zm9vYg',
  fooba: 'Zm9vYmE',
  foobar: 'Zm9vYmFy',
};

for (const [text, encoded] of Object.entries(examples)) {
  test(`unpadded Base64 of "${text}"`, () => {
    assert.equal(encodeBase64(Buffer.from(text)), encoded);
    assert.equal(Buffer.from(decodeBase64(encoded) ?? 'undefined').toString(), text);
    const padded = Buffer.from(text).toString('base64');
    assert.equal(Buffer.from(decodeBase64(padded) ?? 'undefined').toString(), text);
  });
}

test('Base64 decodes what it encodes, in both alphabets', () => {
  const property = fc.property(fc.uint8Array(), (bytes) => {
    assert.deepEqual(new Uint8Array(decodeBase64(encodeBase64(bytes)) ?? []), bytes);
    assert.deepEqual(new Uint8Array(decodeBase64(encodeBase64Url(bytes)) ?? []), bytes);
    assert.doesNotMatch(encodeBase64(bytes) + encodeBase64Url(bytes), /=/);
  });
  fc.assert(property);
});

test('what is not Base64 does not decode', () => {
  for (const text of ['A', 'AAAAA', 'A=', 'A===', 'Zg ', 'Zg\n', 'Z*', '=', 'Zg=Zg', 'ü']) {
    assert.equal(decodeBase64(text), undefined, text);
  }
});

test('SHA-256 of the empty text, in both alphabets', () => {
  // e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  assert.equal(sha256Base64(''), '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU');
  assert.equal(sha256Base64Url(''), '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU');
});

test('keys and signatures of a wrong length are refused', () => {
  const key = signingKeyFromSeed('ed25519:1', new Uint8Array(32));
  const verifyKey = parseVerifyKey(decodeBase64(key.publicKey) ?? new Uint8Array()) as VerifyKey;
  const signature = decodeBase64(signText(key, 'text')) as Uint8Array;
  assert.equal(verifyText(verifyKey, 'text', signature), true);
  assert.equal(verifyText(verifyKey, 'text!', signature), false);
  assert.equal(verifyText(verifyKey, 'text', signature.subarray(1)), false);
  assert.equal(verifyText(verifyKey, 'text', new Uint8Array()), false);
  assert.equal(parseVerifyKey(new Uint8Array(31)), undefined);
  assert.throws(() => signingKeyFromSeed('ed25519:1', new Uint8Array(31)), RangeError);
});

test('signatures are texts of one algorithm; what is none does not verify', () => {
  const key = signingKeyFromSeed('ed25519:1', new Uint8Array(32));
  const verifyKey = parseVerifyKey(decodeBase64(key.publicKey) ?? new Uint8Array()) as VerifyKey;
  const signed = signJson({ a: 1 }, 'a.example', key);
  const signature = signaturesOf(signed, 'a.example').get('ed25519:1') ?? '';
  const others = { 'ed25519:2': 7, 'ed25519:3': null, 'rsa:1': signature, ed25519: signature };
  const signatures = { 'a.example': { 'ed25519:1': signature, ...others }, 'b.example': { 'ed25519:2': signature } };
  assert.deepEqual([...signaturesOf({ signatures }, 'a.example')], [['ed25519:1', signature]]);
  const verifies = (object: JsonObject) => verifySignedJson(object, 'a.example', 'ed25519:1', verifyKey);
  assert.equal(verifies({ a: 1, signatures }), true);
  for (const none of [null, [], 'x', {}, { 'a.example': null }, { 'a.example': [signature] }]) {
    assert.equal(verifies({ a: 1, signatures: none }), false, JSON.stringify(none));
  }
  for (const none of ['', '*', `${signature}*`, signature.slice(4)]) {
    assert.equal(verifies({ a: 1, signatures: { 'a.example': { 'ed25519:1': none } } }), false, none);
  }
});

test('what is signed is canonical in the strict sense, unless another one is asked for', () => {
  const key = signingKeyFromSeed('ed25519:1', new Uint8Array(32));
  const verifyKey = parseVerifyKey(decodeBase64(key.publicKey) ?? new Uint8Array()) as VerifyKey;
  const object = parseJson('{"b":1.50,"a":1e3}', 'lenient') as JsonObject;
  assert.throws(() => signedText(object), { name: 'JsonError' });
  assert.throws(() => signJson(object, 'a.example', key), { name: 'JsonError' });
  assert.equal(signedText(object, 'lenient'), '{"a":1000,"b":1.5}');
  const signed = signJson(object, 'a.example', key, 'lenient');
  assert.equal(verifySignedJson(signed, 'a.example', 'ed25519:1', verifyKey, 'lenient'), true);
  assert.throws(() => verifySignedJson(signed, 'a.example', 'ed25519:1', verifyKey), { name: 'JsonError' });
});
