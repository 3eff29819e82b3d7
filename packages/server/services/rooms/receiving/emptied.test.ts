import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findRoomVersion,
  joinPieces,
  type JsonObject,
  parseJson,
  type Pdu,
  splitPdu,
  toRoomEvent,
} from '@portico/protocol';
import { emptiedPieces } from './emptied.ts';

const junk = 'x'.repeat(10_000);
const event: JsonObject = {
  type: 'm.room.power_levels',
  state_key: '',
  sender: '@mallory:peer.test',
  room_id: '!room:hs1',
  content: { users: { [junk]: 100 } },
  depth: 7,
  origin_server_ts: 1,
  origin: junk,
  prev_state: [junk],
  hashes: { sha256: 'a', other: junk },
  signatures: { 'peer.test': { 'ed25519:1': junk } },
  unknown: junk,
};

for (const [version, prevEvents] of [
  ['1', [['$previous:peer.test', { sha256: junk }]]],
  ['11', ['$previous']],
] as const) {
  test(`of an event of version ${version} that is kept for what it names, nothing is left that has no limit`, () => {
    const rules = findRoomVersion(version) ?? assert.fail();
    const references = { prev_events: prevEvents as never, auth_events: [] };
    const ids = version === '1' ? { event_id: '$event:peer.test' } : {};
    const text = joinPieces(emptiedPieces(rules, splitPdu({ ...event, ...references, ...ids }, rules.canonicalJson)));
    assert.ok(text.length < 400, text);
    const left = toRoomEvent(rules, parseJson(text, 'lenient') as Pdu, '$event', { rejected: true });
    assert.deepEqual(
      [left.type, left.stateKey, left.sender, left.prevEvents, left.depth, left.content],
      [
        'm.room.power_levels',
        '',
        '@mallory:peer.test',
        [version === '1' ? '$previous:peer.test' : '$previous'],
        7,
        Object.create(null),
      ],
    );
  });
}
