import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoomEvent } from '../events/pdu.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { findRoomVersion } from '../room-versions/registry.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import {
  namedPowerLevel,
  parsePowerLevels,
  readPowerLevel,
  requiredPowerLevel,
  userPowerLevel,
} from './power-levels.ts';

const rulesOf = (version: string) => findRoomVersion(version) as RoomVersionRules;
const event = (content: JsonObject) => ({ sender: '@creator:a.example', content }) as RoomEvent;

test('what is a level is read as the room version reads it', () => {
  const rows: readonly (readonly [
    value: JsonValue | undefined,
    old: number | undefined,
    since10: number | undefined,
  ])[] = [
    [50, 50, 50],
    [-1, -1, -1],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    [2 ** 53, 2 ** 53, undefined],
    [1.9, 1, undefined],
    [-1.9, -1, undefined],
    [Infinity, undefined, undefined],
    ['50', 50, undefined],
    [' +050\n', 50, undefined],
    ['-5', -5, undefined],
    ['', undefined, undefined],
    ['5 0', undefined, undefined],
    ['x5', undefined, undefined],
    ['5x', undefined, undefined],
    ['1.5', undefined, undefined],
    ['9'.repeat(400), undefined, undefined],
    [true, undefined, undefined],
    [null, undefined, undefined],
    [undefined, undefined, undefined],
  ];
  for (const [value, old, since10] of rows) {
    for (const version of ['1', '9']) assert.equal(readPowerLevel(rulesOf(version), value), old, JSON.stringify(value));
    for (const version of ['10', '12']) {
      assert.equal(readPowerLevel(rulesOf(version), value), since10, JSON.stringify(value));
    }
  }
});

test('what no power levels event says has its default', () => {
  const rules = rulesOf('11');
  const defaults = { users_default: 0, events_default: 0, state_default: 50, ban: 50, redact: 50, kick: 50, invite: 0 };
  for (const [name, level] of Object.entries(defaults)) {
    for (const powerLevels of [undefined, event({}), event({ [name]: 'x' })]) {
      assert.equal(namedPowerLevel(rules, powerLevels, name as keyof typeof defaults), level, name);
    }
    assert.equal(namedPowerLevel(rules, event({ [name]: 7 }), name as keyof typeof defaults), 7, name);
  }
  const powerLevels = event({ events: { a: 30, b: 'x' }, state_default: 40, events_default: 20 });
  for (const [type, isState, level] of [
    ['a', true, 30],
    ['a', false, 30],
    ['b', true, 40],
    ['b', false, 20],
    ['constructor', false, 20],
  ] as const) {
    assert.equal(requiredPowerLevel(rules, powerLevels, type, isState), level, type);
  }
  assert.equal(requiredPowerLevel(rules, event({ events: [30] }), '0', true), 50);
});

test('without power levels the creator has a hundred, and since version 12 creators are above all', () => {
  const powerLevels = event({ users: { '@creator:a.example': 1, '@b:b.example': 5 }, users_default: 3 });
  const create = event({ creator: '@creator:a.example', additional_creators: ['@more:a.example'] });
  const levels = (version: string, ...events: readonly [RoomEvent | undefined, RoomEvent | undefined]) =>
    ['@creator:a.example', '@more:a.example', '@b:b.example', '@c:c.example'].map((userId) =>
      userPowerLevel(rulesOf(version), ...events, userId),
    );
  for (const version of ['10', '11']) {
    assert.deepEqual(levels(version, create, undefined), [100, 0, 0, 0]);
    assert.deepEqual(levels(version, create, powerLevels), [1, 3, 5, 3]);
  }
  assert.deepEqual(levels('12', create, undefined), [Infinity, Infinity, 0, 0]);
  assert.deepEqual(levels('12', create, powerLevels), [Infinity, Infinity, 5, 3]);
  assert.deepEqual(levels('12', undefined, undefined), [0, 0, 0, 0]);
  assert.deepEqual(levels('12', event({ additional_creators: 7 }), undefined), [Infinity, 0, 0, 0]);
});

test('all levels of an event, without what is none, by the rules of its version', () => {
  const content = { ban: '60', kick: 1, invite: null, users: { '@a:a.example': '7', '@b:b.example': 8 }, events: 'x' };
  const spelledOut = (version: string) => {
    const { levels, users, events, notifications } = parsePowerLevels(rulesOf(version), content);
    return [levels, users, events, notifications].map((map) => Object.fromEntries(map));
  };
  assert.deepEqual(spelledOut('9'), [{ ban: 60, kick: 1 }, { '@a:a.example': 7, '@b:b.example': 8 }, {}, {}]);
  assert.deepEqual(spelledOut('10'), [{ kick: 1 }, { '@b:b.example': 8 }, {}, {}]);
  assert.deepEqual(spelledOut('9'), [{ ban: 60, kick: 1 }, { '@a:a.example': 7, '@b:b.example': 8 }, {}, {}]);
});
