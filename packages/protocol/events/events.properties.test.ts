import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodeCanonical } from '../json/canonical.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { isRoomAlias } from '../ids/room-alias.ts';
import { isEventId } from '../ids/event-id.ts';
import { isRoomId } from '../ids/room-id.ts';
import { isServerName, splitServerName } from '../ids/server-name.ts';
import { isUserId } from '../ids/user-id.ts';
import { parseMxcUri } from '../ids/mxc-uri.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { roomVersions } from '../room-versions/registry.ts';
import { checkHash, referenceHash } from './hashes.ts';
import { parsePdu } from './parse-pdu.ts';
import { joinPieces, splitPdu } from './pieces.ts';
import { redactPdu } from './redact.ts';
import { compileServerAcl } from './server-acl.ts';
import { parseStrippedStateEvent } from './stripped-state.ts';
import { toRoomEvent } from './room-event.ts';

const runs = { numRuns: Number(process.env.PROPERTY_RUNS ?? 2000) };

const rules = fc.constantFrom(...roomVersions);
const type = fc.constantFrom(
  'm.room.message',
  'm.room.member',
  'm.room.create',
  'm.room.join_rules',
  'm.room.power_levels',
  'm.room.aliases',
  'm.room.history_visibility',
  'm.room.redaction',
);
const contentKey = fc.constantFrom(
  'membership',
  'creator',
  'join_rule',
  'allow',
  'users',
  'invite',
  'aliases',
  'history_visibility',
  'redacts',
  'join_authorised_via_users_server',
  'signed',
  'body',
  '__proto__',
);
const leaf = fc.oneof(fc.string(), fc.maxSafeInteger(), fc.constant(null), fc.constant('@a:b'));
const content = fc.dictionary(
  fc.oneof(contentKey, fc.constant('third_party_invite')),
  fc.oneof(leaf, fc.dictionary(contentKey, leaf)),
) as fc.Arbitrary<JsonObject>;

const hash = `$${'A'.repeat(43)}`;
const references = fc.constantFrom<JsonValue>([], [hash], [['$a:b', { sha256: 'x' }]], [[hash]], 'none', [7]);
const likely = <Value>(usual: Value) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: leaf });
const pduLike = fc.record(
  {
    type: fc.oneof({ weight: 6, arbitrary: type }, { weight: 1, arbitrary: leaf }),
    sender: likely('@a:b'),
    room_id: fc.oneof(fc.constant('!r:b'), fc.constant(`!${'A'.repeat(43)}`), leaf),
    event_id: likely('$e:b'),
    state_key: likely(''),
    content,
    depth: likely(1),
    origin_server_ts: likely(1),
    prev_events: references,
    auth_events: references,
    hashes: likely({ sha256: 'AAAA' }),
    signatures: likely({ b: { 'ed25519:1': 'AAAA' } }),
    unsigned: likely({ age: 1 }),
    origin: leaf,
    membership: leaf,
    redacts: likely(hash),
  },
  { requiredKeys: ['content'] },
) as fc.Arbitrary<JsonObject>;

/** An event that this version accepts, but for what was put over it. */
function around(rules: RoomVersionRules, over: JsonObject): JsonObject {
  const reference = rules.event.references === 'ids' ? hash : ['$a:b', { sha256: 'x' }];
  return {
    type: 'm.room.member',
    sender: '@a:b',
    room_id: rules.event.roomId === 'opaque' ? '!r:b' : `!${'A'.repeat(43)}`,
    ...(rules.event.eventId === 'explicit' ? { event_id: '$e:b' } : {}),
    content: {},
    depth: 1,
    origin_server_ts: 1,
    prev_events: [reference],
    auth_events: [reference],
    hashes: { sha256: 'AAAA' },
    signatures: {},
    ...over,
  };
}

const fewFields = fc
  .tuple(pduLike, fc.nat(20), fc.nat(20))
  .map(([pdu, ...kept]) => Object.fromEntries(Object.entries(pdu).filter((_, index) => kept.includes(index))));

test('redaction is idempotent, and leaves hashes over the essentials alone', () => {
  const property = fc.property(rules, pduLike, (rules, pdu) => {
    const once = redactPdu(rules, pdu);
    assert.equal(encodeCanonical(redactPdu(rules, once)), encodeCanonical(once));
    assert.equal(referenceHash(rules, once), referenceHash(rules, pdu));
  });
  fc.assert(property, runs);
});

test('the pieces of an event join to its canonical JSON', () => {
  const property = fc.property(pduLike, (pdu) => {
    const pieces = splitPdu(pdu, 'strict');
    assert.equal(joinPieces(pieces), encodeCanonical(pdu));
    assert.equal(pieces.content, encodeCanonical(pdu.content ?? null));
  });
  fc.assert(property, runs);
});

test('parsing an event decides and never throws, and what it accepts can be used', () => {
  let accepted = 0;
  const anything = fc.oneof(fc.string(), fc.jsonValue() as fc.Arbitrary<JsonValue>, pduLike);
  const property = fc.property(rules, fc.oneof(fewFields, anything), fc.boolean(), (rules, value, asText) => {
    const event =
      typeof value === 'object' && value !== null && !Array.isArray(value) ? around(rules, value as JsonObject) : value;
    const parsed = parsePdu(rules, asText ? JSON.stringify(event) : event);
    if (parsed.kind === 'reject') return;
    accepted += 1;
    const room = toRoomEvent(rules, parsed.pdu, parsed.eventId, { rejected: false });
    for (const text of [room.eventId, room.roomId, room.type, room.sender]) assert.equal(typeof text, 'string');
    for (const id of [...room.prevEvents, ...room.authEvents]) assert.equal(typeof id, 'string');
    assert.equal(joinPieces(parsed.pieces), encodeCanonical(parsed.pdu as JsonObject, rules.canonicalJson));
    assert.equal(checkHash(rules, parsed.pdu), false);
  });
  fc.assert(property, runs);
  assert.ok(accepted > runs.numRuns / 10, `accepted ${accepted}`);
});

test('parsers of identifiers, access lists and stripped state take any input', () => {
  const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[@!#$]?[a-z.:0-9[\]]{0,20}$/));
  const property = fc.property(anyText, fc.jsonValue() as fc.Arbitrary<JsonValue>, (text, value) => {
    for (const accepts of [isUserId, isRoomId, isRoomAlias, isEventId]) {
      if (accepts(text)) assert.ok(Buffer.byteLength(text) <= 255 && text.isWellFormed());
    }
    assert.equal(isServerName(text), splitServerName(text) !== undefined);
    parseMxcUri(text);
    parseStrippedStateEvent(value);
    assert.equal(compileServerAcl({ allow: value, deny: value })(text).kind, 'reject');
  });
  fc.assert(property, runs);
});
