import { setTimeout as delay } from 'node:timers/promises';
import { anyone, devicesIn, others } from '../choices.ts';
import { textAt } from '../json.ts';
import { bothOf, serverName } from '../servers.ts';
import type { Device, World } from '../world.ts';
import { logIn } from '../people.ts';
import type { Action } from './action.ts';

export const setAccountData: Action = async (world) => {
  const device = anyone(world);
  // What somebody keeps for a room before they come Synapse does not tell them when they do.
  const rooms = world.rooms.filter(({ memberships }) => memberships.get(device.person) === 'join');
  const place = rooms.length > 0 && world.chance(50) ? ['rooms', world.pick(rooms).id] : [];
  const type = world.pick(['m.direct', 'x.a', 'x.b']);
  const body =
    type === 'm.direct'
      ? world.pick([{}, { [world.pick(world.people).id]: [world.pick(world.rooms).id] }])
      : world.pick([{ a: world.next() }, {}, { deep: { x: [1, 2] } }]);
  await world.ask(device, 'PUT', ['v3', 'user', device.person.id, ...place, 'account_data', type], { body });
};

export const tagRoom: Action = async (world) => {
  const room = world.pick(world.rooms);
  const inside = devicesIn(world, room);
  if (inside.length === 0) return;
  const device = world.pick(inside);
  const tag = world.pick(['m.favourite', 'u.mine', 'm.lowpriority']);
  const path = ['v3', 'user', device.person.id, 'rooms', room.id, 'tags', tag];
  if (world.chance(70)) await world.ask(device, 'PUT', path, { body: world.chance(50) ? { order: 0.5 } : {} });
  else await world.ask(device, 'DELETE', path);
};

export const ignore: Action = async (world) => {
  const device = anyone(world);
  const person = world.chance(60) ? world.pick(others(world, [device.person])) : undefined;
  const ignored = person === undefined ? {} : { [person.id]: {} };
  const path = ['v3', 'user', device.person.id, 'account_data', 'm.ignored_user_list'];
  await world.ask(device, 'PUT', path, { body: { ignored_users: ignored } });
  if (person === undefined) world.ignored.delete(device.person);
  else world.ignored.set(device.person, person);
};

export const changeProfile: Action = async (world) => {
  const device = anyone(world);
  const number = world.next();
  const [field, value] = world.pick([
    ['displayname', `Name ${number % 5}`],
    ['avatar_url', `mxc://${serverName}/face${number % 3}`],
    ['m.tz', 'Europe/London'],
    ['x.custom', `value ${number}`],
  ] as const);
  const path = ['v3', 'profile', device.person.id, field];
  const isSet = world.chance(85);
  if (isSet) await world.ask(device, 'PUT', path, { body: { [field]: value } });
  else await world.ask(device, 'DELETE', path);
  if (field === 'displayname' || field === 'avatar_url') await settle(world, device, field, isSet ? value : undefined);
};

/** How often, and how many milliseconds after one another, a room is looked at. */
const patience = 40;
const wait = 100;

/**
 * Waits until the rooms of both have it: each has its own time for that, in which other events would come before. A room that
 * nobody may join has it on neither: that shows in what is compared.
 */
async function settle(world: World, device: Device, field: string, value: string | undefined): Promise<void> {
  const { person } = device;
  const rooms = world.rooms.filter(({ memberships }) => memberships.get(person) === 'join');
  await bothOf(async (side) => {
    for (const { id } of rooms) {
      const roomId = side === 'synapse' ? world.pairing.toSynapse(id) : id;
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${person.id}`;
      for (let turn = 1; turn <= patience; turn += 1) {
        const { body } = await world.calls[side]({ method: 'GET', path, token: device.tokens[side] });
        if ((textAt(body, field) ?? '') === (value ?? '')) break;
        await delay(wait);
      }
    }
  });
}

export const useDevice: Action = async (world) => {
  await logIn(world, world.pick(world.people), world.pick(['D1', 'D2']));
};

export const logOut: Action = async (world) => {
  const devices = world.devices.filter(({ id }) => id !== 'D0');
  if (devices.length === 0) return;
  const device = world.pick(devices);
  world.devices.splice(world.devices.indexOf(device), 1);
  await world.ask(device, 'POST', ['v3', 'logout'], { body: {} });
};
