import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { decodeBase64 } from '../crypto/base64.ts';
import { parseVerifyKey, signingKeyFromSeed, type VerifyKey } from '../crypto/ed25519.ts';
import { verifySignedJson } from '../crypto/sign-json.ts';
import { encodeCanonical } from '../json/canonical.ts';
import type { JsonObject } from '../json/value.ts';
import { roomVersions } from '../room-versions/registry.ts';
import { buildEvent, type BuiltEvent, type NewEvent } from './build-event.ts';
import { checkHash, referenceHash } from './hashes.ts';
import { parsePdu, type ParsedPdu } from './parse-pdu.ts';
import { joinPieces } from './pieces.ts';
import { redactPdu } from './redact.ts';
import { toRoomEvent } from './room-event.ts';

const key = signingKeyFromSeed('ed25519:1', Buffer.alloc(32, 7));
const verifyKey = parseVerifyKey(decodeBase64(key.publicKey) ?? Buffer.alloc(0)) as VerifyKey;
const signer = { serverName: 'example.org', key };

const contents: Record<string, JsonObject> = {
  'm.room.message': { body: 'héllo "wörld" \u{1f600}', msgtype: 'm.text', 'm.mentions': {} },
  'm.room.create': { creator: '@a:example.org', room_version: '1', type: 'm.space', predecessor: { room_id: '!x:y' } },
  'm.room.member': {
    membership: 'join',
    displayname: 'A',
    join_authorised_via_users_server: '@b:example.org',
    third_party_invite: { display_name: 'x', signed: { mxid: '@a:example.org', token: 't', signatures: {} } },
  },
  'm.room.power_levels': { users: { '@a:example.org': 100 }, invite: 5, ban: 50, notifications: { room: 20 } },
  'm.room.redaction': { redacts: '$redacted:example.org', reason: 'spam' },
  'm.room.aliases': { aliases: ['#a:example.org'] },
  'org.example.\u{1f600}': { '\u{1f600}': 1, '\ufb01': 2, '10': 3, '9': 4 },
};

const hash = 'A'.repeat(43);

function draftOf(version: string, type: string): NewEvent {
  const rules = roomVersions.find((rules) => rules.version === version);
  const isMessage = type === 'm.room.message' || type === 'm.room.redaction';
  const reference = rules?.event.eventId === 'explicit' ? '$prev:example.org' : `$${hash}`;
  const derived = rules?.event.roomId === 'create-event';
  return {
    type,
    sender: '@a:example.org',
    roomId: derived ? (type === 'm.room.create' ? undefined : `!${hash}`) : '!room:example.org',
    stateKey: isMessage ? undefined : '',
    content: contents[type] ?? {},
    originServerTs: 1_700_000_000_000,
    depth: 12,
    prevEvents: [reference],
    authEvents: [reference],
    redacts: type === 'm.room.redaction' ? '$redacted:example.org' : undefined,
    eventId: '$new:example.org',
    referenceHashes: new Map([[reference, hash]]),
  };
}

for (const rules of roomVersions) {
  for (const type of Object.keys(contents)) {
    test(`an own ${type} in room version ${rules.version} is what another server would accept`, () => {
      const draft = draftOf(rules.version, type);
      const built = buildEvent(rules, draft, signer) as BuiltEvent;
      assert.equal(built.kind, 'ok');
      const parsed = parsePdu(rules, joinPieces(built.pieces)) as ParsedPdu;
      assert.equal(parsed.kind, 'ok', JSON.stringify(parsed));
      assert.deepEqual(parsed.pieces, built.pieces);
      assert.equal(parsed.eventId, built.event.eventId);
      assert.equal(checkHash(rules, parsed.pdu), true);
      const redacted = redactPdu(rules, parsed.pdu);
      assert.equal(verifySignedJson(redacted, 'example.org', 'ed25519:1', verifyKey, rules.canonicalJson), true);
      const event = toRoomEvent(rules, parsed.pdu, parsed.eventId, { rejected: false });
      assert.deepEqual({ ...event, content: {} }, { ...built.event, content: {} });
      assert.equal(encodeCanonical(event.content), encodeCanonical(built.event.content));
      if (rules.event.eventId === 'explicit') assert.equal(parsed.eventId, '$new:example.org');
      else
        assert.equal(
          Buffer.from(parsed.eventId.slice(1), 'base64').toString('base64').slice(0, 43),
          referenceHash(rules, parsed.pdu),
        );
    });
  }
}

test('what cannot be sent is refused with a rule', () => {
  const rules = roomVersions.at(-1) as (typeof roomVersions)[number];
  const draft = draftOf('12', 'm.room.message');
  const outcome = (change: Partial<NewEvent>, of = rules, from = draft) => {
    const built = buildEvent(of, { ...from, ...change }, signer);
    return built.kind === 'ok' ? 'ok' : built.rule;
  };
  const ids = (length: number) => Array.from({ length }, () => `$${hash}`);
  assert.equal(outcome({}), 'ok');
  assert.equal(outcome({ content: { body: 1.5 } }), 'event.json');
  assert.equal(outcome({ content: { body: 2 ** 53 } }), 'event.json');
  assert.equal(outcome({ content: { body: '\ud800' } }), 'event.json');
  assert.equal(outcome({ type: '\ud800' }), 'event.json');
  assert.equal(outcome({ type: 'é'.repeat(128) }), 'event.field_too_long');
  assert.equal(outcome({ stateKey: 'a'.repeat(256) }), 'event.field_too_long');
  assert.equal(outcome({ prevEvents: ids(20), authEvents: ids(10) }), 'ok');
  assert.equal(outcome({ prevEvents: ids(21) }), 'event.references');
  assert.equal(outcome({ authEvents: ids(11) }), 'event.references');
  assert.equal(outcome({ content: { body: 'a'.repeat(65_536) } }), 'event.too_large');
  const first = roomVersions[0] as (typeof roomVersions)[number];
  assert.equal(outcome({ eventId: undefined }, first, draftOf('1', 'm.room.message')), 'event.references');
  assert.equal(outcome({ referenceHashes: new Map() }, first, draftOf('1', 'm.room.message')), 'event.references');
});

test('the depth of an own event stops at the limit', () => {
  for (const rules of roomVersions) {
    const built = buildEvent(
      rules,
      { ...draftOf(rules.version, 'm.room.message'), depth: 2 ** 53 },
      signer,
    ) as BuiltEvent;
    assert.equal(built.event.depth, 2 ** 53 - 1);
    assert.equal(parsePdu(rules, joinPieces(built.pieces)).kind, 'ok');
  }
});
