import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRoomVersion, roomVersions } from './registry.ts';

/** What differs between two versions' rules, as `path: before → after`. */
function changes(before: object, after: object, path = ''): readonly string[] {
  return Object.entries(after).flatMap(([key, value]: [string, unknown]) => {
    const previous = (before as Readonly<Record<string, unknown>>)[key];
    if (typeof value === 'object' && value !== null) return changes(previous as object, value, `${path}${key}.`);
    return previous === value || key === 'version' ? [] : [`${path}${key}: ${String(previous)} → ${String(value)}`];
  });
}

test('each room version changes what its page says', () => {
  const log = roomVersions.slice(1).map((rules, index) => {
    const previous = roomVersions[index] ?? rules;
    return [`${previous.version} to ${rules.version}`, changes(previous, rules)];
  });
  assert.deepEqual(Object.fromEntries(log), {
    '1 to 2': ['stateResolution: v1 → v2'],
    '2 to 3': [
      'event.eventId: explicit → reference-hash',
      'event.references: pairs → ids',
      'auth.redaction: domain → none',
    ],
    '3 to 4': ['event.eventId: reference-hash → reference-hash-url-safe'],
    '4 to 5': ['enforceKeyValidity: false → true'],
    '5 to 6': [
      'canonicalJson: lenient → strict',
      'auth.aliasesSpecialCase: true → false',
      'auth.limitNotificationLevels: false → true',
      'redaction.keepAliases: true → false',
    ],
    '6 to 7': ['auth.knocking: false → true'],
    '7 to 8': ['auth.restrictedJoins: false → true', 'redaction.keepJoinRulesAllow: false → true'],
    '8 to 9': ['redaction.keepJoinAuthorisedVia: false → true'],
    '9 to 10': ['auth.knockRestricted: false → true', 'auth.integerPowerLevels: false → true'],
    '10 to 11': [
      'event.redacts: top-level → content',
      'auth.requireCreator: true → false',
      'auth.creator: content → sender',
      'redaction.keepThirdPartyInviteSigned: false → true',
      'redaction.keepCreateContent: false → true',
      'redaction.keepPowerLevelsInvite: false → true',
      'redaction.keepRedacts: false → true',
      'redaction.keepObsoleteFields: true → false',
    ],
    '11 to 12': [
      'event.roomId: opaque → create-event',
      'event.createInAuthEvents: true → false',
      'stateResolution: v2 → v2.1',
      'auth.privilegedCreators: false → true',
    ],
  });
});

test('the table cannot be changed', () => {
  for (const rules of roomVersions) {
    for (const part of [rules, rules.event, rules.auth, rules.redaction]) assert.ok(Object.isFrozen(part));
  }
});

test('unknown versions are not found', () => {
  for (const version of ['', '0', '13', '1.0', 'org.example.custom', '__proto__', 'constructor']) {
    assert.equal(findRoomVersion(version), undefined);
  }
});
