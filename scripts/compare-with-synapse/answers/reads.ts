import { eventsOf } from './choices.ts';
import type { Device, Room, World } from './world.ts';

type Read = (world: World, device: Device, room: Room) => Promise<unknown>;

const json = JSON.stringify;
/** The lists whose order nobody says. */
const everyList = /./;

const ofRoom =
  (rest: readonly string[], unordered?: RegExp): Read =>
  (world, device, { id }) =>
    world.ask(device, 'GET', ['v3', 'rooms', id, ...rest], unordered && { unordered });

const ofDevice =
  (path: readonly string[], unordered?: RegExp): Read =>
  (world, device) =>
    world.ask(device, 'GET', path, unordered && { unordered });

const members: Read = (world, device, { id }) => {
  const query = world.pick([{}, { membership: 'join' }, { not_membership: 'leave' }, { membership: 'invite' }]);
  return world.ask(device, 'GET', ['v3', 'rooms', id, 'members'], { query, unordered: everyList });
};

const messages: Read = (world, device, { id }) => {
  const filter = world.pick<object | undefined>([
    undefined,
    undefined,
    undefined,
    { types: ['m.room.message'] },
    { lazy_load_members: true },
  ]);
  const query = {
    dir: world.pick(['b', 'f']),
    limit: world.pick(['5', '10', '50']),
    ...(filter && { filter: json(filter) }),
  };
  return world.ask(device, 'GET', ['v3', 'rooms', id, 'messages'], { query, unordered: /\.state$/ });
};

const context: Read = async (world, device, room) => {
  const events = eventsOf(world, room);
  if (events.length === 0) return;
  const query = world.pick<Record<string, string>>([
    {},
    { limit: '4' },
    { limit: '0' },
    { limit: '10', filter: json({ lazy_load_members: true }) },
  ]);
  const path = ['v3', 'rooms', room.id, 'context', world.pick(events).id];
  await world.ask(device, 'GET', path, { query, unordered: /\.state$/ });
};

const oneEvent: Read = async (world, device, room) => {
  const events = eventsOf(world, room);
  if (events.length > 0) await world.ask(device, 'GET', ['v3', 'rooms', room.id, 'event', world.pick(events).id]);
};

const relations: Read = async (world, device, room) => {
  const events = eventsOf(world, room);
  if (events.length === 0) return;
  const kind = world.pick([
    [],
    ['m.thread'],
    ['m.annotation'],
    ['m.reference'],
    ['m.replace'],
    ['m.thread', 'm.room.message'],
  ]);
  const query = world.pick<Record<string, string>>([{}, { limit: '2' }, { dir: 'f' }, { recurse: 'true' }]);
  await world.ask(device, 'GET', ['v1', 'rooms', room.id, 'relations', world.pick(events).id, ...kind], { query });
};

const threads: Read = (world, device, { id }) => {
  const query = world.pick<Record<string, string>>([{}, { include: 'participated' }, { limit: '2' }]);
  return world.ask(device, 'GET', ['v1', 'rooms', id, 'threads'], { query });
};

const oneState: Read = (world, device, { id }) => {
  const names = ['name', 'topic', 'power_levels', 'join_rules', 'create', 'nothing', 'encryption'];
  const [type, key] = world.pick([
    ...names.map((name) => [`m.room.${name}`, ''] as const),
    ['m.room.member', world.pick(world.people).id] as const,
    ['x.custom', 'a'] as const,
  ]);
  return world.ask(device, 'GET', ['v3', 'rooms', id, 'state', type, key]);
};

const notifications: Read = (world, device) => {
  const query = { limit: world.pick(['3', '10']), ...(world.chance(50) && { only: 'highlight' }) };
  return world.ask(device, 'GET', ['v3', 'notifications'], { query });
};

const profile: Read = (world, device) => {
  const field = world.pick([[], ['displayname'], ['avatar_url'], ['m.tz']]);
  return world.ask(device, 'GET', ['v3', 'profile', world.pick(world.people).id, ...field]);
};

const accountData: Read = (world, device, room) => {
  const ofPerson = ['m.direct', 'x.a', 'm.push_rules', 'm.ignored_user_list'].map((name) => ['account_data', name]);
  const inRoom = [['tags'], ...['x.a', 'm.fully_read', 'm.tag'].map((name) => ['account_data', name])];
  const path = world.pick([...ofPerson, ...inRoom.map((rest) => ['rooms', room.id, ...rest])]);
  return world.ask(device, 'GET', ['v3', 'user', device.person.id, ...path]);
};

const hierarchy: Read = (world, device, { id }) => {
  const query = world.pick<Record<string, string>>([
    {},
    { suggested_only: 'true' },
    { max_depth: '1' },
    { limit: '2' },
  ]);
  return world.ask(device, 'GET', ['v1', 'rooms', id, 'hierarchy'], { query });
};

/** Portico never searches rooms that are encrypted. */
const search: Read = (world, device) => {
  const criteria = {
    search_term: world.pick(['hello', 'banana', 'edited', 'diacritics', 'ping']),
    order_by: 'recent',
    filter: { rooms: world.rooms.filter(({ isEncrypted }) => !isEncrypted).map(({ id }) => id) },
    ...(world.chance(40) && { event_context: { before_limit: 1, after_limit: 1, include_profile: true } }),
    ...(world.chance(30) && { include_state: true }),
    ...(world.chance(30) && { groupings: { group_by: [{ key: world.pick(['room_id', 'sender']) }] } }),
  };
  const body = { search_categories: { room_events: criteria } };
  return world.ask(device, 'POST', ['v3', 'search'], { body, unordered: /\.(?:state|highlights)\b/ });
};

const byAlias: Read = async (world, device, { alias }) => {
  if (alias !== undefined) await world.ask(device, 'GET', ['v3', 'directory', 'room', alias]);
};

const listed: Read = (world, device, { id }) => world.ask(device, 'GET', ['v3', 'directory', 'list', 'room', id]);

const summary: Read = (world, device, { id }) => world.ask(device, 'GET', ['v1', 'room_summary', id]);

const reads: readonly Read[] = [
  ofRoom(['state'], everyList),
  members,
  ofRoom(['joined_members']),
  messages,
  messages,
  context,
  oneEvent,
  relations,
  relations,
  threads,
  oneState,
  ofRoom(['aliases'], everyList),
  ofDevice(['v3', 'joined_rooms'], everyList),
  ofDevice(['v3', 'pushrules', '']),
  notifications,
  ofDevice(['v3', 'devices'], everyList),
  profile,
  accountData,
  hierarchy,
  summary,
  search,
  byAlias,
  listed,
  ofDevice(['v3', 'account', 'whoami']),
];

/** Somebody looks something up. */
export async function readSomething(world: World): Promise<void> {
  await world.pick(reads)(world, world.pick(world.devices), world.pick(world.rooms));
}
