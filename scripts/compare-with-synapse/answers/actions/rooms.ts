import { anyone, devicesIn, moderator, others } from '../choices.ts';
import { type JsonObject, objectsAt, textAt } from '../json.ts';
import { serverName } from '../servers.ts';
import type { Person, Room, World } from '../world.ts';
import type { Action } from './action.ts';
import { readAll } from './membership.ts';
import { send } from './messages.ts';

const mostRooms = 8;

export const createRoom: Action = async (world) => {
  if (world.rooms.length >= mostRooms) return;
  const { person: owner, ...device } = anyone(world);
  const number = world.rooms.length;
  const alias = world.chance(40) ? `room-${number}-of-${world.seed}` : undefined;
  const isSpace = world.chance(15);
  const guest = world.chance(30) ? world.pick(others(world, [owner])) : undefined;
  const version = world.pick(['6', '9', '10', '11', '12', '12']);
  const isEncrypted = world.chance(15);
  const body: JsonObject = {
    room_version: version,
    ...(world.chance(60) && { preset: world.pick(['private_chat', 'public_chat', 'trusted_private_chat']) }),
    ...(world.chance(50) && { visibility: world.pick(['public', 'private']) }),
    ...(world.chance(50) && { name: `room ${number} of-${world.seed}` }),
    ...(world.chance(40) && { topic: `topic ${number}` }),
    ...(guest && { invite: [guest.id] }),
    ...(world.chance(20) && { is_direct: true }),
    ...(alias !== undefined && { room_alias_name: alias }),
    ...(isSpace && { creation_content: { type: 'm.space', 'm.federate': world.chance(50) } }),
    ...(world.chance(20) && { power_level_content_override: levelsOf(world, owner, version) }),
    ...((isEncrypted || world.chance(30)) && { initial_state: initialState(world, isEncrypted) }),
  };
  const made = await world.ask({ person: owner, ...device }, 'POST', ['v3', 'createRoom'], { body });
  if (!made) return;
  const hidesHistory = objectsAt(body, 'initial_state').some(({ content }) => isHiding(content));
  world.rooms.push(roomOf(made['room_id'], { owner, alias, isSpace, isEncrypted, hidesHistory, guest }));
};

/** Whether a content is of an event that hides what was before. */
export const isHiding = (content: unknown): boolean =>
  ['invited', 'joined'].includes(textAt(content, 'history_visibility') ?? '');

function roomOf(
  id: unknown,
  about: {
    readonly owner: Person;
    readonly alias: string | undefined;
    readonly isSpace: boolean;
    readonly isEncrypted: boolean;
    readonly hidesHistory: boolean;
    readonly guest: Person | undefined;
  },
): Room {
  const { owner, alias, isSpace, isEncrypted, hidesHistory, guest } = about;
  return {
    id: String(id),
    owner,
    alias: alias === undefined ? undefined : `#${alias}:${serverName}`,
    isSpace,
    isEncrypted,
    isEncryptionRedacted: false,
    isUpgraded: false,
    hidesHistory,
    memberships: new Map([[owner, 'join'], ...(guest === undefined ? [] : [[guest, 'invite'] as const])]),
    everJoined: new Set([owner.id]),
    turnedAway: new Set(),
  };
}

/** Creators of rooms of version 12 have all power, and must not be named. */
function levelsOf(world: World, owner: Person, version: string): JsonObject {
  return {
    users_default: world.pick([0, 10]),
    events: { 'm.room.name': world.pick([0, 50, 100]) },
    notifications: { room: world.pick([0, 50]) },
    ...(version !== '12' && { users: { [world.pick(world.people).id]: 50, [owner.id]: 100 } }),
  };
}

function initialState(world: World, isEncrypted: boolean): readonly JsonObject[] {
  const visibility = world.pick(['world_readable', 'shared', 'invited', 'joined']);
  const rule = world.pick(['knock', 'public', 'invite']);
  return [
    { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: visibility } },
    ...(world.chance(40) ? [{ type: 'm.room.join_rules', content: { join_rule: rule } }] : []),
    ...(isEncrypted ? [{ type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } }] : []),
  ];
}

/** Nobody goes to the new room: what a server takes there, and in which order, is its own. */
export const upgradeRoom: Action = async (world) => {
  const old = world.pick(world.rooms);
  // Synapse answers with the room that it has made minutes ago.
  if (old.isUpgraded) return;
  const body = { new_version: world.pick(['11', '12']) };
  const device = moderator(world, old);
  if (!(await world.ask(device, 'POST', ['v3', 'rooms', old.id, 'upgrade'], { body }))) return;
  old.isUpgraded = true;
  await readAll(world, device, old);
};

export const addToSpace: Action = async (world) => {
  const spaces = world.rooms.filter(({ isSpace }) => isSpace);
  if (spaces.length === 0) return;
  const space = world.pick(spaces);
  const child = world.pick(world.rooms);
  const content = {
    via: [serverName],
    ...(world.chance(40) && { suggested: true }),
    ...(world.chance(40) && { order: world.pick(['a', 'b', '~']) }),
  };
  const path = ['state', 'm.space.child', child.id];
  await send(world, moderator(world, space), space, path, world.chance(80) ? content : {});
};

export const changeAlias: Action = async (world) => {
  const room = world.pick(world.rooms);
  const alias = `#also-${world.roll(4)}-of-${world.seed}:${serverName}`;
  const path = ['v3', 'directory', 'room', alias];
  if (world.chance(70)) await world.ask(anyone(world), 'PUT', path, { body: { room_id: room.id } });
  else await world.ask(anyone(world), 'DELETE', path);
};

export const listRoom: Action = async (world) => {
  const room = world.pick(world.rooms);
  const inside = devicesIn(world, room);
  if (inside.length === 0) return;
  const body = { visibility: world.pick(['public', 'private']) };
  await world.ask(world.pick(inside), 'PUT', ['v3', 'directory', 'list', 'room', room.id], { body });
};
