import type { Device, Membership, Person, Room, SentEvent, World } from './world.ts';

/** Who does what. */
export const anyone = (world: World): Device => world.pick(world.devices);

export function devicesIn(world: World, room: Room): readonly Device[] {
  return world.devices.filter(({ person }) => room.memberships.get(person) === 'join');
}

/** Mostly somebody who is in the room. */
export function insider(world: World, room: Room): Device {
  const inside = devicesIn(world, room);
  return inside.length > 0 && world.chance(90) ? world.pick(inside) : anyone(world);
}

/** Mostly whoever made the room, who may do everything. */
export function moderator(world: World, room: Room): Device {
  const own = world.devices.filter(({ person }) => person === room.owner && room.memberships.get(person) === 'join');
  return own.length > 0 && world.chance(60) ? world.pick(own) : insider(world, room);
}

export function others(world: World, than: readonly Person[]): readonly Person[] {
  return world.people.filter((person) => !than.includes(person));
}

export function eventsOf(world: World, room: Room): readonly SentEvent[] {
  return world.events.filter((event) => event.room === room);
}

/** People of the room with one of some memberships, but for whoever made it. */
export function guestsWith(room: Room, memberships: readonly string[]): readonly Person[] {
  return [...room.memberships]
    .filter(([person, membership]) => person !== room.owner && memberships.includes(membership))
    .map(([person]) => person);
}

const isOver = (membership: Membership): boolean => membership === 'leave' || membership === 'ban';

/** Remembers a membership that both servers took. */
export function remember(room: Room, person: Person, membership: Membership): void {
  const before = room.memberships.get(person);
  // Who is banned after they left sees what they saw when they left: with Synapse, what was there when they were banned.
  if (membership === 'ban' && before !== 'join') room.everJoined.delete(person.id);
  if (membership === 'join') room.turnedAway.delete(person.id);
  if (isOver(membership) && before !== undefined && before !== 'join' && !isOver(before))
    room.turnedAway.add(person.id);
  room.memberships.set(person, membership);
  if (membership === 'join') room.everJoined.add(person.id);
}
