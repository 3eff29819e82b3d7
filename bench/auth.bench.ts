import {
  authorise,
  findRoomVersion,
  type AuthState,
  type JsonObject,
  type RoomEvent,
  type RoomVersionRules,
} from '@portico/protocol';
import type { Benchmark } from './bench.ts';

const admin = '@admin:example.org';
const sender = '@somebody:example.org';

function event(type: string, by: string, stateKey: string | undefined, content: JsonObject): RoomEvent {
  return {
    eventId: type === 'm.room.create' ? '$create' : `$${type}-${stateKey}`,
    roomId: '!create',
    type,
    sender: by,
    stateKey,
    content,
    originServerTs: 0,
    depth: 1,
    prevEvents: type === 'm.room.create' ? [] : ['$previous'],
    authEvents: [],
    redacts: undefined,
    rejected: false,
  };
}

const manyUsers = Object.fromEntries(
  Array.from({ length: 500 }, (_, index) => [`@user${index}:example.org`, index % 50]),
);
const levels: JsonObject = { users: { ...manyUsers, [sender]: 50 }, events: { 'm.room.name': 50 }, invite: 0 };
const create = event('m.room.create', admin, '', { room_version: '12' });
const state: readonly RoomEvent[] = [
  event('m.room.power_levels', admin, '', levels),
  event('m.room.join_rules', admin, '', { join_rule: 'public' }),
  event('m.room.member', sender, sender, { membership: 'join' }),
];
const entries = new Map(state.map((entry) => [`${entry.type} ${entry.stateKey}`, entry]));
const authState: AuthState = { create, get: (type, stateKey) => entries.get(`${type} ${stateKey}`) };

function benchmark(name: string, version: string, judged: RoomEvent): Benchmark {
  const rules = findRoomVersion(version) as RoomVersionRules;
  return { name, run: () => authorise(rules, judged, authState) };
}

const newcomer = '@newcomer:example.org';

export const bench: readonly Benchmark[] = [
  benchmark('authorise a message', '12', event('m.room.message', sender, undefined, { body: 'hello' })),
  benchmark('authorise a message, room version 1', '1', event('m.room.message', sender, undefined, { body: 'hello' })),
  benchmark('authorise a join', '12', event('m.room.member', newcomer, newcomer, { membership: 'join' })),
  benchmark('authorise an invite', '12', event('m.room.member', sender, newcomer, { membership: 'invite' })),
  benchmark(
    'authorise power levels of 500 users that were parsed before',
    '12',
    event('m.room.power_levels', sender, '', { ...levels, users: { ...manyUsers, [sender]: 50, [newcomer]: 10 } }),
  ),
];
