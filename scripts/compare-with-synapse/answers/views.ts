import { compare, type Difference } from './differences.ts';
import { isList, isObject, type Json, type JsonObject, objectAt, textAt } from './json.ts';
import { bothOf } from './servers.ts';
import { applySliding, slidingRequest, type SlidingView } from './sliding-view.ts';
import { applySync, plainReceipts, saysSomething } from './sync-view.ts';
import { begin, type Device, type Room, type World } from './world.ts';

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

/** What somebody asks a first sync for. */
const filters = (world: World): JsonObject =>
  world.pick<JsonObject>([
    { room: { timeline: { limit: 3 } } },
    { room: { state: { lazy_load_members: true }, timeline: { limit: 4 } } },
    { room: { state: { types: ['m.room.c*'] }, timeline: { types: ['m.room.message', 'm.room.c*'], limit: 20 } } },
    // What has become of the state behind a timeline of which there is nothing each server tells at another time.
    {
      room: {
        state: { types: ['m.room.create'] },
        timeline: { types: ['m.room.message', 'm.reaction'], not_senders: [world.pick(world.people).id] },
      },
    },
    { room: { state: { not_types: ['m.room.member'] }, timeline: { limit: 10 } } },
    { room: { include_leave: true, timeline: { limit: 20 } } },
    { room: { rooms: [world.pick(world.rooms).id] } },
    { room: { not_rooms: [world.pick(world.rooms).id], timeline: { limit: 5 } } },
    { room: { ephemeral: { types: ['m.receipt'] }, account_data: { not_types: ['m.tag'] } } },
    { room: { timeline: { contains_url: false, limit: 10 }, ephemeral: { not_types: ['m.*'] } } },
    { account_data: { types: ['m.*'] }, room: { timeline: { limit: 1 } } },
    { event_fields: ['type', 'event_id', 'sender', 'content.body'], room: { timeline: { limit: 5 } } },
  ]);

/** Has a device sync from the beginning with some filter, beside what it does otherwise. */
export async function compareFiltered(world: World, device: Device): Promise<void> {
  const chosen = { presence: { not_types: ['*'] }, ...filters(world) };
  const progress = { portico: begin(), synapse: begin() };
  const aside: Device = { ...device, progress };
  const isOfRooms = 'rooms' in objectAt(chosen, 'room');
  const title = `sync with a filter${isOfRooms ? ' for rooms' : ''} of ${device.person.name}/${device.id}`;
  await bothOf(async (side) => {
    const own = side === 'synapse' ? world.pairing.translate(chosen) : chosen;
    const query = new URLSearchParams({ timeout: '0', filter: JSON.stringify(own) });
    const path = `/_matrix/client/v3/sync?${query.toString()}`;
    const { status, body } = await world.calls[side]({ method: 'GET', path, token: device.tokens[side] });
    if (status !== 200) throw new Error(`${side} does not sync: ${status} ${JSON.stringify(body)}`);
    applySync(progress[side].view, body);
  });
  // Synapse counts among the last events also those that somebody may not see, as long as they are the state.
  const isPlain = (room: Room): boolean => !room.hidesHistory;
  const seenOn = (side: Side): Json => syncedOf(world, aside, side, isPlain);
  const differences = compare(seenOn('portico'), seenOn('synapse'), world);
  const shown = `${title} with ${JSON.stringify(world.pairing.translate(chosen))}`;
  world.findings.tell(`seed ${world.seed}, step ${world.step}: ${shown}`, title, differences);
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

function syncedOf(world: World, device: Device, side: Side, isWanted: (room: Room) => boolean = () => true): Json {
  const { rooms, accountData, hasBegun: _, ...rest } = device.progress[side].view;
  const pushRules = accountData['m.push_rules'];
  const told = isObject(pushRules) && { 'm.push_rules': withKnownRooms(world, pushRules, side) };
  const shown = Object.entries(rooms).flatMap(([roomId, room]) => {
    const known = roomBy(world, side, roomId);
    if (known === undefined || !isWanted(known)) return [];
    const { id } = device.person;
    const isSeen = known.everJoined.has(id) && !known.turnedAway.has(id);
    const { section } = room;
    return [[roomId, isSeen ? { ...room, receipts: plainReceipts(room.receipts) } : { section }] as const];
  });
  return asJson({ ...rest, accountData: { ...accountData, ...told }, rooms: Object.fromEntries(shown) });
}

/** Push rules without those named after rooms that nobody but their maker knows. */
export function withKnownRooms(world: World, rules: JsonObject, side: Side): JsonObject {
  const isKnown = (rule: JsonObject): boolean => {
    const id = textAt(rule, 'rule_id') ?? '';
    return !id.startsWith('!') || roomBy(world, side, id) !== undefined;
  };
  const kinds = Object.entries(objectAt(rules, 'global')).map(([kind, list]) => [
    kind,
    isList(list) ? list.filter((rule) => !isObject(rule) || isKnown(rule)) : list,
  ]);
  return { ...rules, global: Object.fromEntries(kinds) as JsonObject };
}

function slidOf(world: World, { id, person, progress }: Device, side: Side): Json {
  const { rooms, count } = progress[side].slidingView;
  const isGone = (room: Room): boolean => {
    const membership = room.memberships.get(person) ?? '';
    return membership === 'leave' || (membership === 'ban' && !room.everJoined.has(person.id));
  };
  // With Synapse a room is no longer encrypted when the event that says so is redacted, and is to the invited when it is to the others.
  const isUnclear = (room: Room): boolean => {
    const isOutside = ['invite', 'knock'].includes(room.memberships.get(person) ?? '');
    return id === 'D2' && (room.isEncryptionRedacted || (room.isEncrypted && isOutside));
  };
  // What somebody ignored said before goes when Synapse tells of a room again.
  const ignored = world.ignored.get(person)?.id;
  const shown = Object.entries(rooms).flatMap(([roomId, whole]) => {
    const known = roomBy(world, side, roomId);
    if (known === undefined || isGone(known) || isUnclear(known)) return [];
    const isHeard = (event: JsonObject): boolean => 'state_key' in event || event['sender'] !== ignored;
    const room = { ...whole, timeline: whole.timeline.filter(isHeard) };
    // What was told of it before somebody was invited is no longer told.
    const isOutside = ['invite', 'knock'].includes(known.memberships.get(person) ?? '');
    return [[roomId, isOutside ? { invite: room.invite ?? {} } : id === 'D1' ? room : withFewMembers(room)] as const];
  });
  return asJson({
    rooms: Object.fromEntries(shown),
    ...(!world.rooms.some((room) => isGone(room) || isUnclear(room)) && { count }),
  });
}

/** Of members who are loaded lazily, those of the timeline: which others were told depends on when it was asked. */
function withFewMembers(room: SlidingView['rooms'][string]): object {
  const { 'm.room.member': members, ...state } = room.state;
  const people = new Set(room.timeline.flatMap(({ sender, state_key: key }) => [sender, key]));
  const few = Object.entries(members ?? {}).filter(([userId]) => people.has(userId));
  return { ...room, state: { ...state, 'm.room.member': Object.fromEntries(few) } };
}

/** `undefined` if nobody but its maker knows it. Who never was in a room is shown nothing of it by Portico. */
function roomBy(world: World, side: Side, roomId: string): Room | undefined {
  return world.rooms.find(({ id }) => (side === 'synapse' ? world.pairing.toSynapse(id) : id) === roomId);
}
