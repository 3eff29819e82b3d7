import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../json/value.ts';
import { findRoomVersion } from '../room-versions/registry.ts';
import { hasRedactionPower, mayRedact } from './redaction-power.ts';

const alice = '@alice:a.example';
const bob = '@bob:b.example';
const carol = '@carol:c.example';

function stateOf(version: string, levels: JsonObject | undefined) {
  const rules = findRoomVersion(version);
  assert.ok(rules);
  const made = (type: string, content: JsonObject) => ({
    eventId: `$${type}`,
    roomId: '!create',
    type,
    sender: alice,
    stateKey: '',
    content,
    originServerTs: 1,
    depth: 1,
    prevEvents: [],
    authEvents: [],
    redacts: undefined,
    rejected: false,
  });
  const create = made('m.room.create', { creator: alice, room_version: version, additional_creators: [carol] });
  const powerLevels = levels && made('m.room.power_levels', levels);
  const get = (type: string, stateKey: string) =>
    type === 'm.room.power_levels' && stateKey === '' ? powerLevels : undefined;
  return { rules, state: { get, create } };
}

const powers: readonly [
  version: string,
  levels: JsonObject | undefined,
  who: string,
  hasPower: boolean,
  why: string,
][] = [
  ['3', { users: { [bob]: 50 } }, bob, true, 'the level is 50 where none is named'],
  ['10', { users: { [bob]: 49 } }, bob, false, 'less than the level'],
  ['10', { users: { [bob]: 49 }, redact: 49 }, bob, true, 'exactly the level'],
  ['10', { users: { [bob]: 50 }, redact: 51 }, bob, false, 'the level was raised'],
  ['10', { users_default: 50 }, bob, true, 'what everybody has counts'],
  ['10', { users: { [bob]: 0 }, users_default: 50 }, bob, false, 'who is named has what is said there'],
  ['10', { redact: 0 }, bob, true, 'everybody may'],
  ['10', { redact: -1, users_default: -2 }, bob, false, 'levels below zero'],
  ['9', { redact: '0' }, bob, true, 'levels were texts before version 10'],
  ['10', { redact: '0' }, bob, false, 'and are not since'],
  ['10', undefined, alice, true, 'the creator has 100 where there are no power levels'],
  ['10', undefined, bob, false, 'and the others 0'],
  ['10', undefined, carol, false, 'before version 12 there is one creator'],
  ['10', { users: {} }, alice, false, 'with power levels the creator has what they say'],
  ['11', undefined, alice, true, 'the sender of the create event is the creator'],
  ['12', { redact: 9_007_199_254_740_991 }, alice, true, 'creators have more than any level'],
  ['12', { redact: 100 }, carol, true, 'all of them'],
  ['12', { redact: 100, users: { [bob]: 99 } }, bob, false, 'the others have what is said'],
];

for (const [version, levels, who, expected, why] of powers) {
  test(`power to redact in version ${version}: ${why}`, () => {
    const { rules, state } = stateOf(version, levels);
    assert.equal(hasRedactionPower(rules, state, who), expected);
  });
}

test('a redaction redacts by power, or what comes from the same server; never a create event', () => {
  const table: readonly [sender: string, type: string, by: string, hasPower: boolean, expected: boolean][] = [
    [bob, 'm.room.message', alice, false, false],
    [bob, 'm.room.message', alice, true, true],
    [bob, 'm.room.message', bob, false, true],
    [bob, 'm.room.message', '@other:b.example', false, true],
    [bob, 'm.room.message', '@bob:b.example:8448', false, false],
    [bob, 'm.room.member', alice, true, true],
    [alice, 'm.room.create', alice, true, false],
  ];
  for (const [sender, type, by, hasPower, expected] of table) {
    assert.equal(
      mayRedact({ sender }, { type, sender: by }, hasPower),
      expected,
      `${sender} ${type} ${by} ${hasPower}`,
    );
  }
});
