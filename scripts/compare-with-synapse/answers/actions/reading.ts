import { anyone, devicesIn } from '../choices.ts';
import type { Device, SentEvent, World } from '../world.ts';
import type { Action } from './action.ts';

const mostRecent = 15;

/** Somebody who reads one of the last events, which they have seen. */
function someReader(world: World): readonly [Device, SentEvent] | undefined {
  const pairs = world.events.slice(-mostRecent).flatMap((event) => {
    // Synapse takes no receipt for an event of somebody ignored.
    const sees = ({ person }: Device): boolean =>
      event.readers.includes(person) && world.ignored.get(person) !== event.sender;
    const devices = devicesIn(world, event.room).filter(sees);
    return devices.map((device) => [device, event] as const);
  });
  return pairs.length === 0 ? undefined : world.pick(pairs);
}

export const sendReceipt: Action = async (world) => {
  const [device, event] = someReader(world) ?? [];
  if (device === undefined || event === undefined) return;
  const type = world.pick(['m.read', 'm.read', 'm.read.private', 'm.fully_read']);
  const thread = world.pick([undefined, undefined, 'main', event.root?.id]);
  const path = ['v3', 'rooms', event.room.id, 'receipt', type, event.id];
  await world.ask(device, 'POST', path, { body: thread === undefined ? {} : { thread_id: thread } });
};

export const moveMarkers: Action = async (world) => {
  const [device, event] = someReader(world) ?? [];
  if (device === undefined || event === undefined) return;
  const body = { 'm.fully_read': event.id, 'm.read': event.id };
  await world.ask(device, 'POST', ['v3', 'rooms', event.room.id, 'read_markers'], { body });
};

export const type: Action = async (world) => {
  const device = anyone(world);
  const path = ['v3', 'rooms', world.pick(world.rooms).id, 'typing', device.person.id];
  // Longer than any seed takes.
  await world.ask(device, 'PUT', path, {
    body: world.chance(70) ? { typing: true, timeout: 600_000 } : { typing: false },
  });
};
