import { moderator, others, remember } from '../choices.ts';
import { isObject, type JsonObject, objectAt } from '../json.ts';
import { serverName } from '../servers.ts';
import type { Device, Membership, Room, World } from '../world.ts';
import type { Action } from './action.ts';
import { readAll } from './membership.ts';
import { isHiding } from './rooms.ts';
import { send } from './messages.ts';

type State = readonly [type: string, key: string, content: JsonObject];

function someState(world: World, room: Room, device: Device): State {
  const number = world.next();
  return world.pick<State>([
    ['m.room.name', '', { name: `name ${number}` }],
    ['m.room.topic', '', { topic: `topic ${number}` }],
    ['m.room.topic', '', { topic: `rich ${number}`, 'm.topic': { 'm.text': [{ body: `rich ${number}` }] } }],
    ['m.room.join_rules', '', { join_rule: world.pick(['public', 'invite', 'knock', 'private']) }],
    ['m.room.join_rules', '', restricted(world)],
    [
      'm.room.history_visibility',
      '',
      { history_visibility: world.pick(['world_readable', 'shared', 'invited', 'joined']) },
    ],
    ['m.room.guest_access', '', { guest_access: world.pick(['can_join', 'forbidden']) }],
    ['m.room.avatar', '', { url: `mxc://${serverName}/picture${number % 3}` }],
    ['x.custom', world.pick(['', 'a', device.person.id, `@else:${serverName}`]), { value: number % 2 }],
    ['m.room.canonical_alias', '', room.alias === undefined ? {} : { alias: room.alias }],
    ['m.room.pinned_events', '', { pinned: [] }],
    ['m.room.member', device.person.id, profileHere(number)],
    ['m.room.encryption', '', { algorithm: 'm.megolm.v1.aes-sha2' }],
    ['m.room.server_acl', '', { allow: ['*'], deny: [], allow_ip_literals: false }],
    ['m.room.create', '', { room_version: '10' }],
    ['m.room.tombstone', '', { body: 'gone', replacement_room: '!x:y' }],
  ]);
}

/** All of it: of a name alone Synapse makes a name with the picture that the person has elsewhere. */
const profileHere = (number: number): JsonObject => ({
  membership: 'join',
  displayname: `here ${number % 4}`,
  avatar_url: `mxc://${serverName}/here${number % 2}`,
});

/** Whoever is in another room may come in. */
function restricted(world: World): JsonObject {
  const allow = [
    { type: 'm.room_membership', room_id: world.pick(world.rooms).id },
    ...(world.chance(20) ? [{ type: 'x.other' }] : []),
  ];
  return { join_rule: world.pick(['restricted', 'knock_restricted']), allow };
}

export const setState: Action = async (world) => {
  const room = world.pick(world.rooms);
  const device = moderator(world, room);
  const [type, key, content] = someState(world, room, device);
  if (type === 'm.room.member' && room.memberships.get(device.person) !== 'join') return;
  if (type === 'm.room.encryption') room.isEncrypted = true;
  if (isHiding(content)) room.hidesHistory = true;
  await send(world, device, room, ['state', type, key], content);
};

/** What there are endpoints for, done without them. */
export const setMembership: Action = async (world) => {
  const room = world.pick(world.rooms);
  const device = moderator(world, room);
  const person = world.pick(others(world, [room.owner, device.person]));
  const membership = world.pick<Membership>(['leave', 'ban', 'invite', 'join', 'knock']);
  const path = ['v3', 'rooms', room.id, 'state', 'm.room.member', person.id];
  if (!(await world.ask(device, 'PUT', path, { body: { membership } }))) return;
  remember(room, person, membership);
  await readAll(world, device, room);
};

export const changePower: Action = async (world) => {
  const room = world.pick(world.rooms);
  const device = moderator(world, room);
  const path = ['v3', 'rooms', room.id, 'state', 'm.room.power_levels', ''];
  const levels = await world.ask(device, 'GET', path);
  if (!isObject(levels)) return;
  const { id } = world.pick(world.people);
  const level = world.pick([0, 10, 50, 100]);
  const users = objectAt(levels, 'users');
  const change = world.pick<JsonObject>([
    { users: { ...users, [id]: level } },
    { users: Object.fromEntries(Object.entries(users).filter(([userId]) => userId !== id)), users_default: 0 },
    { events: { ...objectAt(levels, 'events'), 'm.room.message': 0 } },
    { notifications: { room: level } },
    { invite: level },
    { redact: level, kick: level },
    { ban: 'x' },
  ]);
  // Otherwise it is no change for one of the two, whose rooms begin with other levels.
  const body = { ...levels, ...change, 'x.change': world.next() };
  await send(world, device, room, ['state', 'm.room.power_levels', ''], body);
};
