import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { findRoomVersion } from '../room-versions/registry.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { checkHash, contentHash, eventIdOf } from './hashes.ts';

const rules = findRoomVersion('10') as RoomVersionRules;
const pdu: JsonObject = { type: 'm.room.message', content: { body: 'hello' }, depth: 1 };
const hash = contentHash(rules, pdu);

test('a hash counts in each of its spellings, and what is none does not', () => {
  const isOf = (hashes: JsonValue) => checkHash(rules, { ...pdu, hashes });
  for (const sha256 of [hash, `${hash}=`, hash.replaceAll('+', '-').replaceAll('/', '_')]) {
    assert.equal(isOf({ sha256 }), true, sha256);
  }
  for (const sha256 of ['', '*', hash.slice(1), `${hash}==`, `${hash}A`, 'A'.repeat(43), 7, null, {}]) {
    assert.equal(isOf({ sha256 }), false, JSON.stringify(sha256));
  }
  for (const hashes of [{}, { sha512: hash }, null, hash, [hash]]) assert.equal(isOf(hashes), false);
  assert.equal(checkHash(rules, pdu), false);
});

test('an event of the first versions has the ID that its server chose, and nothing else is one', () => {
  for (const version of ['1', '2']) {
    const ofVersion = findRoomVersion(version) as RoomVersionRules;
    assert.equal(eventIdOf(ofVersion, { ...pdu, event_id: '$a:b.example' }), '$a:b.example');
    for (const event of [pdu, { ...pdu, event_id: 7 }]) assert.equal(eventIdOf(ofVersion, event), '');
  }
});
