import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findRoomVersion,
  hashAndSignEvent,
  type JsonObject,
  parseJson,
  type RoomVersionRules,
  signaturesOf,
  signingKeyFromSeed,
} from '@portico/protocol';
import { signGiven } from './sign-given.ts';

const rules = findRoomVersion('10') as RoomVersionRules;
const key = signingKeyFromSeed('ed25519:1', new Uint8Array(32));
const signer = { serverName: 'b.example', key };

const invite = {
  auth_events: [],
  content: { membership: 'invite' },
  depth: 3,
  hashes: {},
  origin_server_ts: 1000,
  prev_events: [],
  room_id: '!room:a.example',
  sender: '@alice:a.example',
  state_key: '@bob:b.example',
  type: 'm.room.member',
};

test('an event is signed beside the signature that it has', () => {
  const given = hashAndSignEvent(rules, invite, 'a.example', key);
  const signed = signGiven(rules, given, signer);
  for (const server of ['a.example', 'b.example']) assert.equal(signaturesOf(signed, server).size, 1);
});

test('what no event can be is refused, and does not fail', () => {
  const given = JSON.stringify(hashAndSignEvent(rules, invite, 'a.example', key));
  for (const [what, instead, reason] of [
    ['"depth":3', '"depth":1.5', 'request.invalid-param'],
    ['"depth":3', '"depth":3.0', 'request.bad-json'],
    ['"origin_server_ts":1000', '"origin_server_ts":1e400', 'request.invalid-param'],
    ['@alice:', String.raw`@\ud800:`, 'request.invalid-param'],
    ['"membership":"invite"', String.raw`"membership":"\ud800"`, 'request.bad-json'],
    ['"prev_events":[]', '"prev_events":{}', 'request.invalid-param'],
  ] as const) {
    const spoilt = parseJson(given.replace(what, instead), 'lenient') as JsonObject;
    assert.throws(() => signGiven(rules, spoilt, signer), { reason }, instead);
  }
});
