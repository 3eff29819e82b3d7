import { anyone, eventsOf, guestsWith, insider, moderator, others, remember } from '../choices.ts';
import type { JsonObject } from '../json.ts';
import type { Device, Room, World } from '../world.ts';
import type { Action } from './action.ts';

export const join: Action = async (world) => {
  const room = world.pick(world.rooms);
  const device = anyone(world);
  // Synapse makes one more event of it where there is a reason.
  if (room.memberships.get(device.person) === 'join') return;
  const place = room.alias !== undefined && world.chance(30) ? room.alias : room.id;
  const body = world.chance(20) ? { reason: 'why not' } : {};
  if (await world.ask(device, 'POST', ['v3', 'join', place], { body })) remember(room, device.person, 'join');
};

export const leave: Action = async (world) => {
  const room = world.pick(world.rooms);
  const device = insider(world, room);
  if (device.person === room.owner) return;
  // Portico lets those go who are not there.
  if (!['join', 'invite', 'knock'].includes(room.memberships.get(device.person) ?? '')) return;
  const body = world.chance(30) ? { reason: 'goodbye' } : {};
  if (await world.ask(device, 'POST', ['v3', 'rooms', room.id, 'leave'], { body }))
    remember(room, device.person, 'leave');
};

/** To do something in a room is to have read it, which is another question: they say so. */
export async function readAll(world: World, device: Device, room: Room): Promise<void> {
  const last = eventsOf(world, room).findLast(({ readers }) => readers.includes(device.person));
  if (last === undefined || room.memberships.get(device.person) !== 'join') return;
  if (world.ignored.get(device.person) === last.sender) return;
  await world.ask(device, 'POST', ['v3', 'rooms', room.id, 'receipt', 'm.read', last.id], { body: {} });
}

/** Somebody who may changes what another is to a room. */
async function change(world: World, room: Room, what: string, body: JsonObject): Promise<boolean> {
  const device = moderator(world, room);
  const done = await world.ask(device, 'POST', ['v3', 'rooms', room.id, what], { body });
  if (done && body['user_id'] !== device.person.id) await readAll(world, device, room);
  return done !== undefined;
}

export const invite: Action = async (world) => {
  const room = world.pick(world.rooms);
  const person = world.pick(world.people);
  const body = { user_id: person.id, ...(world.chance(20) && { reason: 'come' }) };
  const done = await change(world, room, 'invite', body);
  if (done) remember(room, person, 'invite');
};

export const kick: Action = async (world) => {
  const room = world.pick(world.rooms);
  const guests = guestsWith(room, ['join', 'invite', 'knock']);
  if (guests.length === 0) return;
  const person = world.pick(guests);
  const body = { user_id: person.id };
  const done = await change(world, room, 'kick', body);
  if (done) remember(room, person, 'leave');
};

export const ban: Action = async (world) => {
  const room = world.pick(world.rooms);
  const person = world.pick(others(world, [room.owner]));
  const body = { user_id: person.id, ...(world.chance(30) && { reason: 'bad' }) };
  const done = await change(world, room, 'ban', body);
  if (done) remember(room, person, 'ban');
};

export const unban: Action = async (world) => {
  const room = world.pick(world.rooms);
  const guests = guestsWith(room, ['ban']);
  if (guests.length === 0) return;
  const person = world.pick(guests);
  const body = { user_id: person.id };
  const done = await change(world, room, 'unban', body);
  if (done) remember(room, person, 'leave');
};

export const knock: Action = async (world) => {
  const room = world.pick(world.rooms);
  const device = anyone(world);
  const body = world.chance(50) ? { reason: 'let me in' } : {};
  if (await world.ask(device, 'POST', ['v3', 'knock', room.id], { body })) remember(room, device.person, 'knock');
};

export const forget: Action = async (world) => {
  const room = world.pick(world.rooms);
  await world.ask(anyone(world), 'POST', ['v3', 'rooms', room.id, 'forget'], { body: {} });
};
