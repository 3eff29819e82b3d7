import { anyone } from '../choices.ts';
import { type JsonObject, textAt } from '../json.ts';
import type { Action } from './action.ts';

export const setPusher: Action = async (world) => {
  const device = anyone(world);
  const pusher = {
    app_id: 'x.app',
    pushkey: world.pick(['one', 'two']),
    kind: 'http',
    app_display_name: 'App',
    device_display_name: 'Device',
    lang: 'en',
    ...(world.chance(30) && { profile_tag: 'tag' }),
    // Nobody listens there.
    data: { url: 'https://push.invalid/_matrix/push/v1/notify', format: 'event_id_only' },
  };
  const body = world.chance(75) ? pusher : { ...pusher, kind: null };
  await world.ask(device, 'POST', ['v3', 'pushers', 'set'], { body });
  await world.ask(device, 'GET', ['v3', 'pushers'], { unordered: /\.pushers$/ });
};

export const setPresence: Action = async (world) => {
  const device = anyone(world);
  const body = world.pick<JsonObject>([
    { presence: 'online', status_msg: `status ${world.next()}` },
    { presence: 'unavailable' },
    { presence: 'offline' },
    { presence: 'sleeping' },
  ]);
  await world.ask(device, 'PUT', ['v3', 'presence', device.person.id, 'status'], { body });
};

export const keepFilter: Action = async (world) => {
  const device = anyone(world);
  const body = world.pick<JsonObject>([
    {},
    { room: { timeline: { limit: 3, types: ['m.room.message'] } } },
    { event_fields: ['type', 'content.body'], event_format: 'client' },
    { room: { rooms: [world.pick(world.rooms).id], include_leave: true } },
    { event_format: 'other' },
    { room: { rooms: ['none'] } },
  ]);
  const kept = await world.askBoth(device, 'POST', ['v3', 'user', device.person.id, 'filter'], { body });
  if (kept === undefined) return;
  const [ours, theirs] = [kept.portico, kept.synapse].map((answer) => textAt(answer, 'filter_id'));
  const path = ['v3', 'user', device.person.id, 'filter'];
  await world.ask(device, 'GET', path, { last: { portico: ours ?? '', synapse: theirs ?? '' } });
};

export const reportRoom: Action = async (world) => {
  const { id } = world.pick(world.rooms);
  await world.ask(anyone(world), 'POST', ['v3', 'rooms', id, 'report'], { body: { reason: 'x' } });
};

export const reportPerson: Action = async (world) => {
  const { id } = world.pick(world.people);
  await world.ask(anyone(world), 'POST', ['v3', 'users', id, 'report'], { body: { reason: 'x' } });
};
