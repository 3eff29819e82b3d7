import { eventsOf } from './choices.ts';
import { type JsonObject, objectAt, objectsAt, textAt } from './json.ts';
import type { Both } from './servers.ts';
import { compareFiltered, withKnownRooms } from './views.ts';
import type { Device, Room, View, World } from './world.ts';

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

/** Some pages, one after the other: each begins where the one before ended. */
const paged =
  (path: (world: World, room: Room) => readonly string[], options: PageOptions): Read =>
  async (world, device, room) => {
    const query = options.query(world);
    const { from = 'from', next = 'next_batch', unordered, view } = options;
    let own: Both<Record<string, string>> | undefined;
    for (let page = 1; page <= mostPages; page += 1) {
      const asked = { query, ...(own && { own }), ...(unordered && { unordered }), ...(view && { view }) };
      const bodies = await world.askBoth(device, 'GET', path(world, room), asked);
      const [ours, theirs] = [textAt(bodies?.portico, next), textAt(bodies?.synapse, next)];
      if (ours === undefined || theirs === undefined) return;
      own = { portico: { [from]: ours }, synapse: { [from]: theirs } };
    }
  };

type PageOptions = {
  readonly query: (world: World) => Readonly<Record<string, string>>;
  readonly from?: string;
  readonly next?: string;
  readonly unordered?: RegExp;
  readonly view?: View;
};

const mostPages = 4;

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
    { not_types: ['m.room.m*'], not_senders: [device.person.id] },
    { senders: [world.pick(world.people).id] },
    { contains_url: world.chance(50) },
  ]);
  const query = {
    dir: world.pick(['b', 'f']),
    limit: world.pick(['5', '10', '50']),
    ...(filter && { filter: json(filter) }),
  };
  return world.ask(device, 'GET', ['v3', 'rooms', id, 'messages'], { query, unordered: /\.state$/ });
};

const messagePages = paged((_, { id }) => ['v3', 'rooms', id, 'messages'], {
  query: (world) => ({ dir: world.pick(['b', 'f']), limit: world.pick(['3', '7']) }),
  next: 'end',
  unordered: /\.state$/,
});

const context: Read = async (world, device, room) => {
  const events = eventsOf(world, room);
  if (events.length === 0) return;
  const query = world.pick<Record<string, string>>([
    {},
    { limit: '4' },
    { limit: '0' },
    { limit: '10', filter: json({ lazy_load_members: true }) },
    { limit: '8', filter: json({ types: ['m.room.message'] }) },
    { limit: '8', filter: json({ not_senders: [device.person.id] }) },
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
  const path = ['v1', 'rooms', room.id, 'relations', world.pick(events).id, ...kind];
  const query = {
    ...(world.chance(50) && { limit: world.pick(['1', '2', '5']) }),
    ...(world.chance(40) && { dir: world.pick(['f', 'b']) }),
    ...(world.chance(40) && { recurse: 'true' }),
  };
  await paged(() => path, { query: () => query })(world, device, room);
};

const threads = paged((_, { id }) => ['v1', 'rooms', id, 'threads'], {
  query: (world) => world.pick<Record<string, string>>([{}, { include: 'participated' }, { limit: '2' }]),
});

const oneState: Read = (world, device, { id }) => {
  const names = ['name', 'topic', 'power_levels', 'join_rules', 'create', 'nothing', 'encryption'];
  const [type, key] = world.pick([
    ...names.map((name) => [`m.room.${name}`, ''] as const),
    ['m.room.member', world.pick(world.people).id] as const,
    ['x.custom', 'a'] as const,
  ]);
  return world.ask(device, 'GET', ['v3', 'rooms', id, 'state', type, key]);
};

/**
 * With Synapse, an invitation that was followed by another one to the same room goes on to be there, and none is read before there is a
 * receipt: with Portico it is with the room's joining.
 */
function withPlainInvitations(body: JsonObject): JsonObject {
  const invitedTo = new Set<string>();
  const notifications = objectsAt(body, 'notifications').flatMap((each) => {
    if (textAt(objectAt(each['event'], 'content'), 'membership') !== 'invite') return [each];
    const room = textAt(each, 'room_id') ?? '';
    if (invitedTo.has(room)) return [];
    invitedTo.add(room);
    return [{ ...each, read: 'of an invitation' }];
  });
  return { ...body, notifications };
}

/** With Synapse also those of rooms that somebody has left, or whose invitation is gone. */
const notifications: Read = async (world, device, room) => {
  const hasLeft = world.rooms.some(({ memberships }) =>
    ['leave', 'ban'].includes(memberships.get(device.person) ?? ''),
  );
  if (!hasLeft) await listNotifications(world, device, room);
};

const listNotifications = paged(() => ['v3', 'notifications'], {
  query: (world) => ({ limit: '50', ...(world.chance(50) && { only: 'highlight' }) }),
  next: 'next_token',
  view: withPlainInvitations,
});

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

const hierarchy = paged((_, { id }) => ['v1', 'rooms', id, 'hierarchy'], {
  query: (world) =>
    world.pick<Record<string, string>>([{}, { suggested_only: 'true' }, { max_depth: '1' }, { limit: '2' }]),
});

/** Portico never searches rooms that are encrypted, and Synapse none that somebody has left. */
const search: Read = (world, device) => {
  const rooms = world.rooms.filter(
    ({ isEncrypted, memberships }) => !isEncrypted && memberships.get(device.person) === 'join',
  );
  const criteria = {
    search_term: world.pick(['hello', 'banana', 'edited', 'diacritics', 'ping', 'name', 'banana hello', 'nothing']),
    order_by: world.pick(['recent', 'rank']),
    ...(world.chance(30) && { keys: [world.pick(['content.body', 'content.name', 'content.topic'])] }),
    filter: { rooms: rooms.map(({ id }) => id) },
    ...(world.chance(40) && { event_context: { before_limit: 1, after_limit: 1, include_profile: true } }),
    ...(world.chance(30) && { include_state: true }),
    ...(world.chance(30) && { groupings: { group_by: [{ key: world.pick(['room_id', 'sender']) }] } }),
  };
  const body = { search_categories: { room_events: criteria } };
  // How well something fits is for each to say.
  const unordered = criteria.order_by === 'rank' ? /\.(?:state|highlights|results)\b/ : /\.(?:state|highlights)\b/;
  return world.ask(device, 'POST', ['v3', 'search'], { body, unordered });
};

const byAlias: Read = async (world, device, { alias }) => {
  if (alias !== undefined) await world.ask(device, 'GET', ['v3', 'directory', 'room', alias]);
};

const listed: Read = (world, device, { id }) => world.ask(device, 'GET', ['v3', 'directory', 'list', 'room', id]);

/** Whoever may list a room has it listed: Synapse leaves out those into which not everybody comes who asks, unless all may read them. */
function withOpenRooms(body: JsonObject): JsonObject {
  const isOpen = ({ join_rule: rule, world_readable: isReadable }: JsonObject): boolean =>
    isReadable === true || ['public', 'knock', 'knock_restricted', undefined].includes(rule as string | undefined);
  return { ...body, chunk: objectsAt(body, 'chunk').filter(isOpen) };
}

/** Of this seed alone: those of others have no counterpart that is known. */
const publicRooms: Read = (world, device) => {
  const body = {
    filter: {
      generic_search_term: `of-${world.seed}`,
      ...(world.chance(30) && { room_types: world.pick([['m.space'], [null], [null, 'm.space']]) }),
    },
  };
  return world.ask(device, 'POST', ['v3', 'publicRooms'], { body, unordered: /\.chunk$/, view: withOpenRooms });
};

const userDirectory: Read = (world, device) => {
  const body = { search_term: world.pick([world.pick(world.people).localpart, `of-${world.seed}`]), limit: 10 };
  return world.ask(device, 'POST', ['v3', 'user_directory', 'search'], { body, unordered: /\.results$/ });
};

const byTime: Read = (world, device, { id }) => {
  const query = world.pick([
    { ts: '1', dir: 'f' },
    { ts: '9000000000000', dir: 'b' },
    { ts: '1', dir: 'b' },
    { ts: '9000000000000', dir: 'f' },
  ]);
  return world.ask(device, 'GET', ['v1', 'rooms', id, 'timestamp_to_event'], { query });
};

/** With Synapse, rules about a room are rules about the one that replaces it even before somebody goes there. */
const pushRules: Read = (world, device) =>
  world.ask(device, 'GET', ['v3', 'pushrules', ''], { view: (body, side) => withKnownRooms(world, body, side) });

/** Who ignores somebody is not seen by them here. */
const presence: Read = async (world, device) => {
  const person = world.pick(world.people);
  if (world.ignored.get(person) === device.person) return;
  await world.ask(device, 'GET', ['v3', 'presence', person.id, 'status']);
};

const pushRule: Read = (world, device, { id }) => {
  const rule = world.pick([
    ['override', '.m.rule.master'],
    ['override', 'mine'],
    ['content', 'banana'],
    ['room', id],
    ['underride', '.m.rule.message'],
  ]);
  const part = world.pick([[], ['enabled'], ['actions']]);
  return world.ask(device, 'GET', ['v3', 'pushrules', 'global', ...rule, ...part]);
};

const mutualRooms: Read = (world, device) => {
  const query = { user_id: world.pick(world.people).id };
  const path = ['v1', 'mutual_rooms'];
  return world.ask(device, 'GET', path, { query, unordered: everyList });
};

const nameIsFree: Read = (world) => {
  const query = { username: world.pick([world.pick(world.people).localpart, `free-${world.seed}`, 'Not A Name', '']) };
  return world.ask(undefined, 'GET', ['v3', 'register', 'available'], { query });
};

const summary: Read = (world, device, { id }) => world.ask(device, 'GET', ['v1', 'room_summary', id]);

const reads: readonly Read[] = [
  ofRoom(['state'], everyList),
  ofRoom(['initialSync'], /\.(?:state|account_data)$/),
  members,
  ofRoom(['joined_members']),
  messages,
  messages,
  messagePages,
  compareFiltered,
  compareFiltered,
  byTime,
  context,
  oneEvent,
  relations,
  relations,
  threads,
  oneState,
  ofRoom(['aliases'], everyList),
  ofDevice(['v3', 'joined_rooms'], everyList),
  pushRules,
  notifications,
  ofDevice(['v3', 'devices'], everyList),
  profile,
  accountData,
  hierarchy,
  summary,
  search,
  byAlias,
  listed,
  publicRooms,
  userDirectory,
  presence,
  pushRule,
  mutualRooms,
  nameIsFree,
  ofDevice(['v3', 'account', 'whoami']),
  ofDevice(['v3', 'account', '3pid']),
  ofDevice(['v3', 'thirdparty', 'protocols']),
  ofDevice(['v3', 'voip', 'turnServer']),
];

/** Somebody looks something up. */
export async function readSomething(world: World): Promise<void> {
  await world.pick(reads)(world, world.pick(world.devices), world.pick(world.rooms));
}
