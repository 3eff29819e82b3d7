import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoomEvent } from '../events/pdu.ts';
import type { JsonObject } from '../json/value.ts';
import { findRoomVersion } from '../room-versions/registry.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import type { AuthState } from './auth-state.ts';
import { authorise } from './authorise.ts';
import { namedPowerLevel, requiredPowerLevel, userPowerLevel } from './power-levels.ts';

const alice = '@alice:a.example';
const bob = '@bob:b.example';

function versionRules(version: string): RoomVersionRules {
  const rules = findRoomVersion(version);
  assert.ok(rules);
  return rules;
}

function event(type: string, sender: string, stateKey: string | undefined, content: JsonObject = {}): RoomEvent {
  const eventId = type === 'm.room.create' ? '$create' : `$${type}-${stateKey ?? 'message'}`;
  return {
    eventId,
    roomId: '!create',
    type,
    sender,
    stateKey,
    content,
    originServerTs: 1,
    depth: 1,
    prevEvents: type === 'm.room.create' ? [] : ['$previous'],
    authEvents: [],
    redacts: undefined,
    rejected: false,
  };
}

function stateOf(...events: readonly RoomEvent[]): AuthState {
  return { get: (type, stateKey) => events.find((entry) => entry.type === type && entry.stateKey === stateKey) };
}

const v12 = versionRules('12');
const create = event('m.room.create', alice, '', { room_version: '12', additional_creators: ['@carol:c.example'] });
const joined = (user: string): RoomEvent => event('m.room.member', user, user, { membership: 'join' });

test('a member sends a message', () => {
  const state = stateOf(create, joined(alice));
  assert.deepEqual(authorise(v12, event('m.room.message', alice, undefined), state), { kind: 'allow' });
});

test('the create event may be given beside a state that does not name it', () => {
  const message = event('m.room.message', alice, undefined);
  const withoutCreate = stateOf(joined(alice));
  assert.equal(authorise(v12, message, { get: withoutCreate.get, create }).kind, 'allow');
  assert.deepEqual(authorise(v12, message, withoutCreate), {
    kind: 'reject',
    rule: 'room.no_create',
    reason: 'the room has no accepted create event',
  });
});

test('nothing is allowed in a room whose create event was rejected', () => {
  const state = stateOf({ ...create, rejected: true }, joined(alice));
  const decision = authorise(v12, event('m.room.message', alice, undefined), state);
  assert.equal(decision.kind === 'reject' && decision.rule, 'room.no_create');
});

test('what the room ID names must be a create event', () => {
  const message = event('m.room.message', alice, undefined);
  const other = { ...joined(alice), eventId: create.eventId };
  const decision = authorise(v12, message, { get: stateOf(joined(alice)).get, create: other });
  assert.equal(decision.kind === 'reject' && decision.rule, 'room.no_create');
});

test('creators have infinite power since version 12, and 100 before where no levels are set', () => {
  const levels = event('m.room.power_levels', alice, '', { users: { [bob]: 50 }, users_default: 7 });
  assert.equal(userPowerLevel(v12, create, levels, alice), Infinity);
  assert.equal(userPowerLevel(v12, create, levels, '@carol:c.example'), Infinity);
  assert.equal(userPowerLevel(v12, create, levels, bob), 50);
  const v11 = versionRules('11');
  assert.equal(userPowerLevel(v11, create, levels, alice), 7);
  assert.equal(userPowerLevel(v11, create, undefined, alice), 100);
  assert.equal(userPowerLevel(v11, create, undefined, '@carol:c.example'), 0);
  const v10 = versionRules('10');
  assert.equal(userPowerLevel(v10, event('m.room.create', alice, '', { creator: bob }), undefined, bob), 100);
});

test('levels are read as the version reads them', () => {
  const levels = event('m.room.power_levels', alice, '', {
    ban: ' +0060 ',
    kick: 50.9,
    invite: -50.9,
    redact: '5_0',
    events: { 'm.room.name': '1e2', 'm.room.topic': '-3' },
    users: { [bob]: '100' },
  });
  const v5 = versionRules('5');
  assert.equal(namedPowerLevel(v5, levels, 'ban'), 60);
  assert.equal(namedPowerLevel(v5, levels, 'kick'), 50);
  assert.equal(namedPowerLevel(v5, levels, 'invite'), -50);
  assert.equal(namedPowerLevel(v5, levels, 'redact'), 50, 'unreadable, so the default');
  assert.equal(requiredPowerLevel(v5, levels, 'm.room.name', true), 50, 'unreadable, so the default');
  assert.equal(requiredPowerLevel(v5, levels, 'm.room.topic', true), -3);
  assert.equal(userPowerLevel(v5, create, levels, bob), 100);
  assert.equal(userPowerLevel(v12, create, levels, bob), 0, 'a string is no level since version 10');
  const endless = event('m.room.power_levels', alice, '', { ban: Infinity, kick: '9'.repeat(400) });
  assert.equal(namedPowerLevel(v5, endless, 'ban'), 50, 'more than a number can be');
  assert.equal(namedPowerLevel(v5, endless, 'kick'), 50, 'the same as a string');
});

test('event types named like properties of every object have no level of their own', () => {
  const levels = event('m.room.power_levels', alice, '', { events: {}, events_default: 3 });
  for (const type of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    assert.equal(requiredPowerLevel(v12, levels, type, false), 3);
  }
});
