import { newDeviceKeys, newIdentity } from '../../../../packages/testkit/device-keys.ts';
import { anyone, others } from '../choices.ts';
import type { JsonObject } from '../json.ts';
import type { Device, World } from '../world.ts';
import type { Action } from './action.ts';

export const nameDevice: Action = async (world) => {
  const device = anyone(world);
  const path = ['v3', 'devices', world.pick(['D0', 'D1', 'D2', 'D3'])];
  if (world.chance(50)) await world.ask(device, 'PUT', path, { body: { display_name: `named ${world.next()}` } });
  await world.ask(device, 'GET', path);
};

/** The keys of devices by whose they are: a device that logs in again has those that it had. */
const ownKeys = new Map<string, JsonObject>();

function deviceKeysOf({ person, id }: Device): JsonObject {
  const name = `${person.id} ${id}`;
  const keys = ownKeys.get(name) ?? newDeviceKeys({ userId: person.id, deviceId: id });
  ownKeys.set(name, keys);
  return keys;
}

function keysOf(world: World, device: Device): JsonObject {
  const { person, id } = device;
  const signed = { signatures: { [person.id]: { [`ed25519:${id}`]: 'c2lnbmF0dXJl' } } };
  const number = world.next();
  return world.pick<JsonObject>([
    { device_keys: deviceKeysOf(device) },
    { one_time_keys: { [`signed_curve25519:AAA${number}`]: { key: `one${number}`, ...signed } } },
    { fallback_keys: { [`signed_curve25519:F${number}`]: { key: `last${number}`, fallback: true, ...signed } } },
    {},
  ]);
}

/** The keys by which people sign their devices. The first ones take no password. */
export const uploadIdentity: Action = async (world) => {
  const device = anyone(world);
  const known = ownKeys.get(device.person.id);
  const body = known ?? newIdentity(device.person.id).body;
  ownKeys.set(device.person.id, body);
  await world.ask(device, 'POST', ['v3', 'keys', 'device_signing', 'upload'], { body });
};

export const uploadKeys: Action = async (world) => {
  const device = anyone(world);
  await world.ask(device, 'POST', ['v3', 'keys', 'upload'], { body: keysOf(world, device) });
};

export const askForKeys: Action = async (world) => {
  const device = anyone(world);
  const asked = [world.pick(world.people), world.pick(world.people)];
  const wanted = world.pick([[], ['D0'], ['D0', 'D1']]);
  const body = { device_keys: Object.fromEntries(asked.map(({ id }) => [id, wanted])) };
  await world.ask(device, 'POST', ['v3', 'keys', 'query'], { body });
};

export const claimKeys: Action = async (world) => {
  const { id } = world.pick(world.people);
  const body = { one_time_keys: { [id]: { [world.pick(['D0', 'D1'])]: 'signed_curve25519' } } };
  await world.ask(anyone(world), 'POST', ['v3', 'keys', 'claim'], { body });
};

/** What a device is told so comes in its next sync. */
export const sendToDevices: Action = async (world) => {
  const device = anyone(world);
  const { id } = world.pick(others(world, [device.person]));
  const to = world.pick(['*', 'D0', 'D1']);
  const body = { messages: { [id]: { [to]: { number: world.next() } } } };
  await world.ask(device, 'PUT', ['v3', 'sendToDevice', 'x.told', `d${world.next()}`], { body });
};
