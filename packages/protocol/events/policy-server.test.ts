import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signingKeyFromSeed, signText } from '../crypto/ed25519.ts';
import { signaturesOf } from '../crypto/sign-json.ts';
import type { JsonObject } from '../json/value.ts';
import { findRoomVersion } from '../room-versions/registry.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { hashAndSignEvent } from './event-signatures.ts';
import { redactedText } from './hashes.ts';
import {
  hasPolicySignature,
  needsPolicySignature,
  parsePolicyServer,
  policyKeyId,
  withPolicySignature,
} from './policy-server.ts';

const rules = findRoomVersion('11') as RoomVersionRules;
const keyOf = (id: string, byte: number) => signingKeyFromSeed(id, new Uint8Array(32).fill(byte));
const origin = keyOf('ed25519:1', 1);
const policyKey = keyOf(policyKeyId, 2);
const content = { via: 'a.example', public_keys: { ed25519: policyKey.publicKey } };
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

test('a policy server is named by an event that is complete', () => {
  assert.equal(parsePolicyServer(content)?.via, 'a.example');
  const urlSafe = policyKey.publicKey.replaceAll('+', '-').replaceAll('/', '_');
  assert.notEqual(parsePolicyServer({ ...content, public_keys: { ed25519: urlSafe } })?.key, undefined);
  for (const broken of [
    {},
    { via: 'a.example' },
    { ...content, via: 7 },
    { ...content, via: 'not a name' },
    { ...content, public_keys: [] },
    { ...content, public_keys: null },
    { ...content, public_keys: 'ed25519' },
    { ...content, public_keys: { ed25519: 7 } },
    { via: 'a.example', public_key: policyKey.publicKey },
  ]) {
    assert.equal(parsePolicyServer(broken), undefined, JSON.stringify(broken));
  }
});

test('a key that is none names a policy server all the same, whose signatures never count', () => {
  for (const ed25519 of ['', '*', 'AAAA', `${policyKey.publicKey}AA`]) {
    const policy = parsePolicyServer({ ...content, public_keys: { ed25519 } });
    assert.deepEqual([policy?.via, policy?.key], ['a.example', undefined], ed25519);
  }
});

test('all events need a signature but the one that names the policy server', () => {
  assert.equal(needsPolicySignature({ type: 'm.room.policy', stateKey: '' }), false);
  assert.equal(needsPolicySignature({ type: 'm.room.policy' }), true);
  assert.equal(needsPolicySignature({ type: 'm.room.policy', stateKey: 'x' }), true);
  assert.equal(needsPolicySignature({ type: 'm.room.member', stateKey: '' }), true);
});

test('the signature counts by the key of the room, beside those of a server of the same name', () => {
  const policy = parsePolicyServer(content);
  assert.ok(policy);
  const sent = hashAndSignEvent(rules, event, 'a.example', origin);
  assert.equal(hasPolicySignature(rules, sent, policy), false);
  const answer = (byte: number) => ({
    'a.example': { [policyKeyId]: signText(keyOf(policyKeyId, byte), redactedText(rules, sent)) },
  });
  const signed = withPolicySignature(sent, answer(2), policy);
  assert.ok(signed);
  assert.equal(hasPolicySignature(rules, signed, policy), true);
  assert.deepEqual([...signaturesOf(signed, 'a.example').keys()], ['ed25519:1', policyKeyId]);
  assert.equal(hasPolicySignature(rules, { ...signed, depth: 2 }, policy), false);
  const forged = withPolicySignature(sent, answer(3), policy);
  assert.equal(forged && hasPolicySignature(rules, forged, policy), false);
  const again = forged && withPolicySignature(forged, answer(2), policy);
  assert.equal(again && hasPolicySignature(rules, again, policy), true, 'a new one takes the place of a wrong one');

  assert.equal(withPolicySignature(sent, {}, policy), undefined);
  assert.equal(withPolicySignature(sent, { 'b.example': { [policyKeyId]: 'x' } }, policy), undefined);
  assert.equal(withPolicySignature(sent, { 'a.example': { 'ed25519:1': 'x' } }, policy), undefined);
  const keyless = parsePolicyServer({ ...content, public_keys: { ed25519: 'AAAA' } });
  assert.equal(keyless && hasPolicySignature(rules, signed, keyless), false, 'a key that is none signs nothing');
});
