import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../json/parse-json.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { findRoomVersion } from '../room-versions/registry.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { contentHash, eventIdOf } from './hashes.ts';
import { parsePdu, type PduRule } from './parse-pdu.ts';
import { joinPieces } from './pieces.ts';
import { toRoomEvent } from './room-event.ts';

const get = (version: string) => findRoomVersion(version) as RoomVersionRules;
const hash = 'A'.repeat(43);

const modern = {
  auth_events: [`$${hash}`],
  content: { body: 'hello' },
  depth: 3,
  hashes: { sha256: hash },
  origin_server_ts: 1000,
  prev_events: [`$${hash}`],
  room_id: '!room:example.org',
  sender: '@alice:example.org',
  signatures: {},
  type: 'm.room.message',
};
const old = {
  ...modern,
  event_id: '$event:example.org',
  auth_events: [['$a:example.org', { sha256: hash }]],
  prev_events: [['$p:example.org', { sha256: hash }]],
};
const v12 = { ...modern, room_id: `!${hash}` };
const { room_id: _, ...create } = { ...v12, type: 'm.room.create', state_key: '', prev_events: [], auth_events: [] };

function outcome(version: string, input: string | JsonValue): 'ok' | PduRule {
  const parsed = parsePdu(get(version), input);
  return parsed.kind === 'ok' ? 'ok' : parsed.rule;
}

test('each form is accepted in its versions only', () => {
  for (const version of ['1', '2']) assert.equal(outcome(version, old), 'ok');
  for (const version of ['3', '4', '5', '6', '7', '8', '9', '10', '11']) assert.equal(outcome(version, modern), 'ok');
  assert.equal(outcome('12', v12), 'ok');
  assert.equal(outcome('12', create), 'ok');
  assert.equal(outcome('1', modern), 'pdu.event_id');
  assert.equal(outcome('2', { ...old, prev_events: modern.prev_events }), 'pdu.prev_events');
  assert.equal(outcome('3', { ...modern, auth_events: old.auth_events }), 'pdu.auth_events');
  assert.equal(outcome('11', create), 'pdu.room_id');
  assert.equal(outcome('12', modern), 'pdu.room_id');
  assert.equal(outcome('12', { ...create, room_id: `!${hash}` }), 'pdu.room_id');
});

const faults: readonly (readonly [PduRule, JsonValue])[] = [
  ['pdu.not_object', []],
  ['pdu.not_object', null],
  ['pdu.type', { ...modern, type: 1 }],
  ['pdu.type', { ...modern, type: 'é'.repeat(128) }],
  ['pdu.sender', { ...modern, sender: 'alice' }],
  ['pdu.sender', { ...modern, sender: 5 }],
  ['pdu.sender', { ...modern, sender: `@${'a'.repeat(243)}:example.org` }],
  ['pdu.room_id', { ...modern, room_id: 'room' }],
  ['pdu.event_id', { ...modern, event_id: `$${hash}` }],
  ['pdu.event_id', { ...modern, event_id: null }],
  ['pdu.state_key', { ...modern, state_key: null }],
  ['pdu.state_key', { ...modern, state_key: 'é'.repeat(128) }],
  ['pdu.content', { ...modern, content: [] }],
  ['pdu.origin_server_ts', { ...modern, origin_server_ts: '1000' }],
  ['pdu.depth', { ...modern, depth: -1 }],
  ['pdu.depth', { ...modern, depth: 2 ** 53 }],
  ['pdu.depth', { ...modern, depth: '3' }],
  ['pdu.prev_events', { ...modern, prev_events: Array.from({ length: 21 }, () => `$${hash}`) }],
  ['pdu.prev_events', { ...modern, prev_events: {} }],
  ['pdu.auth_events', { ...modern, auth_events: Array.from({ length: 11 }, () => `$${hash}`) }],
  ['pdu.prev_events', { ...modern, prev_events: [hash] }],
  ['pdu.auth_events', { ...modern, auth_events: [null] }],
  ['pdu.hashes', { ...modern, hashes: null }],
  ['pdu.hashes', { ...modern, hashes: {} }],
  ['pdu.hashes', { ...modern, hashes: { sha256: 1 } }],
  ['pdu.signatures', { ...modern, signatures: [] }],
  ['pdu.redacts', { ...modern, type: 'm.room.redaction', redacts: 7 }],
  ['pdu.json', { ...modern, content: { body: 1.5 } }],
  ['pdu.json', { ...modern, content: { body: '\ud800' } }],
];

for (const [index, [rule, value]] of faults.entries()) {
  test(`an event is refused by ${rule} (${index})`, () => assert.equal(outcome('10', value), rule));
}

const oldFaults: readonly (readonly [PduRule, JsonValue])[] = [
  ['pdu.event_id', { ...old, event_id: 1 }],
  ['pdu.event_id', { ...old, event_id: `$${hash}` }],
  ['pdu.event_id', { ...old, event_id: 'event:example.org' }],
  ['pdu.origin_server_ts', { ...old, origin_server_ts: 1.5 }],
  ['pdu.depth', { ...old, depth: 1.5 }],
  ['pdu.prev_events', { ...old, prev_events: ['$p:example.org'] }],
  ['pdu.prev_events', { ...old, prev_events: [{ length: 2, 0: '$p:example.org', 1: {} }] }],
  ['pdu.prev_events', { ...old, prev_events: [['$p:example.org']] }],
  ['pdu.prev_events', { ...old, prev_events: [['$p:example.org', {}, {}]] }],
  ['pdu.prev_events', { ...old, prev_events: [['p:example.org', {}]] }],
  ['pdu.auth_events', { ...old, auth_events: [['$a:example.org', hash]] }],
  ['pdu.redacts', { ...old, type: 'm.room.redaction', redacts: 7 }],
];

for (const [index, [rule, value]] of oldFaults.entries()) {
  test(`an event of version 1 is refused by ${rule} (${index})`, () => assert.equal(outcome('1', value), rule));
}

test('what an event redacts is looked at in redactions only, and where their version has it', () => {
  const redaction = { ...modern, type: 'm.room.redaction' };
  assert.equal(outcome('10', redaction), 'ok');
  assert.equal(outcome('10', { ...modern, redacts: 7 }), 'ok');
  assert.equal(outcome('11', { ...redaction, redacts: 7 }), 'ok');
});

test('limits are reached before they are exceeded', () => {
  const ids = (length: number) => Array.from({ length }, () => `$${hash}`);
  const most = { ...modern, prev_events: ids(20), auth_events: ids(10), type: 'é'.repeat(127), depth: 2 ** 53 - 1 };
  assert.equal(outcome('10', { ...most, state_key: 'a'.repeat(255) }), 'ok');
  assert.equal(outcome('10', { ...most, depth: 0 }), 'ok');
});

test('an event of 65536 bytes is accepted, and one more is not', () => {
  const empty = parsePdu(get('10'), { ...modern, content: { body: '' } });
  assert.ok(empty.kind === 'ok');
  const room = 65_536 - Buffer.byteLength(joinPieces(empty.pieces));
  const withBody = (body: string) =>
    outcome('10', { ...modern, content: { body }, unsigned: { padding: 'x'.repeat(100) } });
  assert.equal(withBody('a'.repeat(room)), 'ok');
  assert.equal(withBody('a'.repeat(room + 1)), 'pdu.too_large');
  assert.equal(withBody('é'.repeat(room / 2 + 1)), 'pdu.too_large');
});

test('an event nests a hundred deep and no deeper', () => {
  const nested = (depth: number) =>
    parseJson(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`, 'lenient', 200) as JsonObject;
  assert.equal(outcome('10', { ...modern, content: nested(98) }), 'ok');
  assert.equal(outcome('10', { ...modern, content: nested(99) }), 'pdu.json');
});

test('numbers that only older versions have keep their spelling there, also beside the content', () => {
  const text = JSON.stringify({ ...modern, depth: 0, content: {} })
    .replace('"depth":0', '"depth":9223372036854775807')
    .replace('"content":{}', '"content":{"a":1.0,"b":-0,"c":12345678901234567890}');
  for (const version of ['3', '5']) {
    for (const input of [text, parseJson(text, 'lenient')]) {
      const parsed = parsePdu(get(version), input);
      assert.ok(parsed.kind === 'ok');
      assert.equal(parsed.pieces.content, '{"a":1.0,"b":0,"c":12345678901234567890}');
      assert.match(parsed.pieces.after, /"depth":9223372036854775807,/);
      const event = toRoomEvent(get(version), parsed.pdu, parsed.eventId, { rejected: false });
      assert.equal(event.depth, Number.MAX_SAFE_INTEGER);
      // Redaction copies objects; the spelling goes with them.
      const other = parsePdu(get(version), text.replace('9223372036854775807', '9223372036854775806'));
      assert.ok(other.kind === 'ok');
      assert.notEqual(other.eventId, parsed.eventId);
    }
  }
  assert.equal(outcome('6', text), 'pdu.depth');
  assert.equal(outcome('6', text.replace('9223372036854775807', '7')), 'pdu.json');
});

test('a time that only older versions have is kept there as it was sent, and counted with as far as that goes', () => {
  const text = JSON.stringify({ ...modern, origin_server_ts: 1 });
  const at = (time: string) => text.replace('"origin_server_ts":1', `"origin_server_ts":${time}`);
  for (const [time, counted] of [
    ['9223372036854775807', Number.MAX_SAFE_INTEGER],
    ['-9223372036854775808', Number.MIN_SAFE_INTEGER],
    ['-5', -5],
  ] as const) {
    const parsed = parsePdu(get('5'), at(time));
    assert.ok(parsed.kind === 'ok');
    assert.match(parsed.pieces.after, new RegExp(`"origin_server_ts":${time},`));
    const event = toRoomEvent(get('5'), parsed.pdu, parsed.eventId, { rejected: false });
    assert.equal(event.originServerTs, counted);
  }
  for (const time of ['1e300', '18446744073709551616', `1${'0'.repeat(30)}`, `-1${'0'.repeat(30)}`]) {
    assert.equal(outcome('5', at(time)), 'pdu.origin_server_ts');
  }
  assert.equal(outcome('6', at('9007199254740993')), 'pdu.origin_server_ts');
});

test('unsigned is dropped, and changes nothing', () => {
  const parsed = parsePdu(get('10'), { ...modern, unsigned: { age: 1, prev_content: {} } });
  assert.ok(parsed.kind === 'ok');
  assert.equal(parsed.pdu.unsigned, undefined);
  assert.equal(parsed.eventId, eventIdOf(get('10'), modern));
  assert.equal(contentHash(get('10'), parsed.pdu), contentHash(get('10'), modern));
});
