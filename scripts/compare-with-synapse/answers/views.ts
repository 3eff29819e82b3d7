import { compare, type Difference } from './differences.ts';
import { type Json, objectAt, textAt } from './json.ts';
import { bothOf } from './servers.ts';
import { applySliding, slidingRequest } from './sliding-view.ts';
import { applySync, saysSomething } from './sync-view.ts';
import type { Device, Room, World } from './world.ts';

/** How often both are asked again: some things follow on what was done a little later. */
const patience = 5;

/** In milliseconds. */
const wait = 60;

const filter = {
  room: { timeline: { limit: 60, unread_thread_notifications: true } },
  presence: { not_types: ['*'] },
};

/** Has every device sync until both servers have nothing more to say, and compares what it knows then. */
export async function compareSyncs(world: World): Promise<void> {
  await Promise.all(world.devices.map((device) => compareViews(world, device, 'sync', syncOnce, syncedOf)));
}

export async function compareSlidingSyncs(world: World): Promise<void> {
  await Promise.all(world.devices.map((device) => compareViews(world, device, 'sliding sync', slideOnce, slidOf)));
}

type Side = 'portico' | 'synapse';
type Once = (world: World, device: Device, side: Side, timeout: number) => Promise<boolean>;

async function compareViews(
  world: World,
  device: Device,
  what: string,
  once: Once,
  viewOf: (world: World, device: Device, side: Side) => Json,
): Promise<void> {
  const title = `${what} of ${device.person.name}/${device.id}`;
  let differences: readonly Difference[] = [];
  for (let turn = 1; turn <= patience; turn += 1) {
    await bothOf((side) => untilQuiet((timeout) => once(world, device, side, timeout)));
    const forget = world.pairing.mark();
    differences = compare(viewOf(world, device, 'portico'), viewOf(world, device, 'synapse'), world);
    if (world.findings.newOf(title, differences).length === 0) break;
    if (turn < patience) forget();
  }
  world.findings.tell(`seed ${world.seed}, step ${world.step}: ${title}`, title, differences);
}

async function untilQuiet(ask: (timeout: number) => Promise<boolean>): Promise<void> {
  const most = 10;
  for (let turn = 0, quiet = 0; turn < most && quiet < 2; turn += 1) {
    quiet = (await ask(quiet === 0 ? 0 : wait)) ? 0 : quiet + 1;
  }
}

const syncOnce: Once = async (world, device, side, timeout) => {
  const progress = device.progress[side];
  const query = new URLSearchParams({ timeout: String(timeout), filter: JSON.stringify(filter) });
  if (progress.since !== undefined) query.set('since', progress.since);
  const path = `/_matrix/client/v3/sync?${query.toString()}`;
  const { status, body } = await world.calls[side]({ method: 'GET', path, token: device.tokens[side] });
  if (status !== 200) throw new Error(`${side} does not sync: ${status} ${JSON.stringify(body)}`);
  progress.since = textAt(body, 'next_batch');
  applySync(progress.view, body);
  return saysSomething(body);
};

const slideOnce: Once = async (world, device, side, timeout) => {
  const progress = device.progress[side];
  const query = new URLSearchParams({ timeout: String(timeout) });
  if (progress.position !== undefined) query.set('pos', progress.position);
  const path = `/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?${query.toString()}`;
  const { status, body } = await world.calls[side]({
    method: 'POST',
    path,
    token: device.tokens[side],
    body: slidingRequest(device.id),
  });
  if (status !== 200) throw new Error(`${side} does not slide: ${status} ${JSON.stringify(body)}`);
  progress.position = textAt(body, 'pos');
  applySliding(progress.slidingView, body);
  return Object.keys(objectAt(body, 'rooms')).length > 0;
};

/** A view as JSON, so that it can be compared. */
const asJson = (view: object): Json => JSON.parse(JSON.stringify(view)) as Json;

function syncedOf(world: World, device: Device, side: Side): Json {
  const { rooms, ...rest } = device.progress[side].view;
  const shown = Object.entries(rooms).flatMap(([roomId, room]) => {
    const known = roomBy(world, side, roomId);
    if (known === undefined) return [];
    return [[roomId, known.everJoined.has(device.person.id) ? room : { section: room.section }] as const];
  });
  return asJson({ ...rest, rooms: Object.fromEntries(shown) });
}

function slidOf(world: World, { person, progress }: Device, side: Side): Json {
  const { rooms, count } = progress[side].slidingView;
  const isGone = (room: Room): boolean => {
    const membership = room.memberships.get(person) ?? '';
    return membership === 'leave' || (membership === 'ban' && !room.everJoined.has(person.id));
  };
  const shown = Object.entries(rooms).flatMap(([roomId, room]) => {
    const known = roomBy(world, side, roomId);
    if (known === undefined || isGone(known)) return [];
    // What was told of it before somebody was invited is no longer told.
    const isOutside = ['invite', 'knock'].includes(known.memberships.get(person) ?? '');
    return [[roomId, isOutside ? { invite: room.invite ?? {} } : room] as const];
  });
  return asJson({ rooms: Object.fromEntries(shown), ...(!world.rooms.some(isGone) && { count }) });
}

/** `undefined` if nobody but its maker knows it. Who never was in a room is shown nothing of it by Portico. */
function roomBy(world: World, side: Side, roomId: string): Room | undefined {
  return world.rooms.find(({ id }) => (side === 'synapse' ? world.pairing.toSynapse(id) : id) === roomId);
}
