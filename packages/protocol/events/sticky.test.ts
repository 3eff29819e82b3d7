import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseJson } from '../json/parse-json.ts';
import { findRoomVersion, roomVersions } from '../room-versions/registry.ts';
import { signingKeyFromSeed } from '../crypto/ed25519.ts';
import { buildEvent } from './build-event.ts';
import { parsePdu } from './parse-pdu.ts';
import { joinPieces } from './pieces.ts';
import { redactPdu } from './redact.ts';
import { toRoomEvent } from './room-event.ts';
import { isSticky, maxStickyDuration, stickyDuration, stickyEnd, stickyField } from './sticky.ts';

const durations: readonly (readonly [field: string, duration: number | undefined])[] = [
  ['{"duration_ms":0}', 0],
  ['{"duration_ms":300000}', 300_000],
  ['{"duration_ms":300000,"more":true}', 300_000],
  ['{"duration_ms":3600000}', 3_600_000],
  ['{"duration_ms":3600001}', 3_600_000],
  ['{"duration_ms":9007199254740991}', 3_600_000],
  ['{"duration_ms":-1}', undefined],
  ['{"duration_ms":1.5}', undefined],
  ['{"duration_ms":"300000"}', undefined],
  ['{"duration_ms":null}', undefined],
  ['{"duration_ms":true}', undefined],
  ['{}', undefined],
  ['[]', undefined],
  ['[300000]', undefined],
  ['300000', undefined],
  ['null', undefined],
  ['"sticky"', undefined],
];

test('the field says for how long an event is sticky, where it makes sense', () => {
  for (const [field, duration] of durations) assert.equal(stickyDuration(parseJson(field, 'lenient')), duration, field);
  assert.equal(stickyDuration(undefined), undefined);
});

const ends: readonly (readonly [originServerTs: number, receivedAt: number, durationMs: number, end: number])[] = [
  [1000, 1000, 300_000, 301_000],
  [1000, 61_000, 300_000, 301_000],
  [90_000, 1000, 300_000, 301_000],
  [1000, 400_000, 300_000, 301_000],
  [1000, 1000, 0, 1000],
];

test('it is sticky from when it was sent, or from when it came if that was sooner', () => {
  for (const [originServerTs, receivedAt, durationMs, end] of ends) {
    assert.equal(stickyEnd({ originServerTs, durationMs }, receivedAt), end);
  }
  assert.equal(isSticky(1000, 999), true);
  assert.equal(isSticky(1000, 1000), false);
});

test('no clock of a sender makes an event sticky for longer than an hour from when it came', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0 }), fc.maxSafeNat(), (originServerTs, receivedAt, duration) => {
      const durationMs = stickyDuration({ duration_ms: duration });
      assert.ok(durationMs !== undefined);
      assert.ok(stickyEnd({ originServerTs, durationMs }, receivedAt) <= receivedAt + maxStickyDuration);
    }),
  );
});

test('the field is part of the event, is hashed, and goes with a redaction, in every room version', () => {
  const key = signingKeyFromSeed('ed25519:1', new Uint8Array(32));
  for (const { version } of roomVersions) {
    const rules = findRoomVersion(version);
    assert.ok(rules !== undefined);
    const draft = {
      type: 'org.example.here',
      sender: '@alice:example.org',
      roomId: rules.event.roomId === 'create-event' ? `!${'A'.repeat(43)}` : '!room:example.org',
      content: { body: 'here' },
      originServerTs: 1000,
      depth: 1,
      prevEvents: [],
      authEvents: [],
      ...(rules.event.eventId === 'explicit' && { eventId: '$event:example.org' }),
    };
    const build = (stickyMs: number | undefined) => {
      const built = buildEvent(rules, { ...draft, stickyMs }, { serverName: 'example.org', key });
      assert.ok(built.kind === 'ok');
      return built;
    };
    const sticky = build(300_000);
    const parsed = parsePdu(rules, joinPieces(sticky.pieces));
    assert.ok(parsed.kind === 'ok');
    // What was put together as text is canonical: it is the same once it was parsed.
    assert.equal(joinPieces(parsed.pieces), joinPieces(sticky.pieces));
    assert.equal(parsed.eventId, sticky.event.eventId);
    const event = toRoomEvent(rules, parsed.pdu, parsed.eventId, { rejected: false });
    assert.equal(event.stickyMs, 300_000);
    assert.equal(sticky.event.stickyMs, 300_000);
    if (rules.event.eventId !== 'explicit') assert.notEqual(build(undefined).event.eventId, sticky.event.eventId);
    assert.notDeepEqual(build(1).pieces.after, sticky.pieces.after);
    assert.equal(stickyField in redactPdu(rules, parsed.pdu), false);
  }
});
