import assert from 'node:assert/strict';
import { newIdentity } from '../../packages/testkit/device-keys.ts';
import type { Person } from '../dev/client.ts';
import { meetInRoom } from './meeting.ts';
import { sees } from './syncing.ts';
import { room, until } from './until.ts';

type Answer = Readonly<Record<string, unknown>>;
const get = (person: Person, path: string) => person.call('GET', path) as unknown as Promise<Answer>;

async function create(person: Person, body: object): Promise<string> {
  return (await person.call('POST', 'createRoom', body))['room_id'] ?? '';
}

const setState = (person: Person, roomId: string, path: string, content: object) =>
  person.call('PUT', room(roomId, `state/${path}`), content);

const membershipOf = (person: Person, roomId: string, of: Person) =>
  get(person, room(roomId, `state/m.room.member/${encodeURIComponent(of.userId)}`)).then(
    ({ membership }) => membership,
  );

const isJoined = (host: Person, roomId: string, guest: Person) =>
  until(`${guest.userId} is seen in the room`, async () =>
    (await membershipOf(host, roomId, guest)) === 'join' ? true : undefined,
  );

async function knock(host: Person, guest: Person, via: string): Promise<void> {
  const knocked = await create(host, { room_version: '10', preset: 'private_chat', name: 'Knock here' });
  await setState(host, knocked, 'm.room.join_rules/', { join_rule: 'knock' });
  await guest.call('POST', `knock/${encodeURIComponent(knocked)}?${via}`, { reason: 'Please' });
  await until('the host hears the knock', async () =>
    (await membershipOf(host, knocked, guest)) === 'knock' ? true : undefined,
  );
  await host.call('POST', room(knocked, 'invite'), { user_id: guest.userId });
  await until('the guest is let in', () => guest.call('POST', room(knocked, 'join'), {}));
  await isJoined(host, knocked, guest);
}

async function findByTime(host: Person, guest: Person, roomId: string): Promise<void> {
  const before = Date.now();
  const said = await host.say(roomId, { msgtype: 'm.text', body: 'at this time' });
  await until('the message is found by its time', async () => {
    const path = `rooms/${encodeURIComponent(roomId)}/timestamp_to_event?ts=${before}&dir=f`;
    const { event_id: eventId } = await guest.callBelow('v1', 'GET', path);
    return eventId === said ? true : undefined;
  });
}

/** Somebody of the other server upgrades a room, which so moves there, and the host follows. */
async function beUpgraded(host: Person, guest: Person, via: string): Promise<void> {
  const { room_id: shared = '' } = await host.call('POST', 'createRoom', {
    room_version: '10',
    preset: 'public_chat',
    power_level_content_override: { users: { [host.userId]: 100, [guest.userId]: 100 } },
  });
  await guest.call('POST', `join/${encodeURIComponent(shared)}?${via}`, {});
  await isJoined(host, shared, guest);
  // Synapse fails at it while it still fetches the state of a room that it has just joined.
  const { replacement_room: next = '' } = await until('the guest upgrades it', () =>
    guest.call('POST', room(shared, 'upgrade'), { new_version: '11' }),
  );
  await until('the host sees where the room went', async () =>
    (await get(host, room(shared, 'state/m.room.tombstone/')))['replacement_room'] === next ? true : undefined,
  );
  const server = guest.userId.slice(guest.userId.indexOf(':') + 1);
  await host.call('POST', `join/${encodeURIComponent(next)}?server_name=${server}&via=${server}`, {});
  await isJoined(guest, next, host);
  const said = await host.say(next, { msgtype: 'm.text', body: 'I have come along' });
  await until('the guest hears it', () => guest.call('GET', room(next, `event/${encodeURIComponent(said)}`)));
}

/** `knows`: what both servers have. */
type Where = { readonly hostServer: string; readonly knows: { readonly knocking: boolean; readonly times: boolean } };

/** Rooms that are knocked at, that a space opens, that move to another one. */
export async function moveAround(host: Person, guest: Person, { hostServer, knows }: Where): Promise<void> {
  const via = `server_name=${hostServer}&via=${hostServer}`;
  if (knows.knocking) await knock(host, guest, via);
  const space = await create(host, {
    room_version: '10',
    preset: 'public_chat',
    name: 'A space',
    creation_content: { type: 'm.space' },
  });
  const inner = await create(host, {
    room_version: '10',
    name: 'Inside',
    initial_state: [
      {
        type: 'm.room.join_rules',
        state_key: '',
        content: { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: space }] },
      },
    ],
  });
  await setState(host, space, `m.space.child/${encodeURIComponent(inner)}`, { via: [hostServer] });
  await assert.rejects(guest.call('POST', `join/${encodeURIComponent(inner)}?${via}`, {}), /403/);
  await guest.call('POST', `join/${encodeURIComponent(space)}?${via}`, {});
  await isJoined(host, space, guest);
  const found = await until('the guest sees what is in the space', async () => {
    const path = `${encodeURIComponent(space)}/hierarchy`;
    const { rooms } = (await guest.callBelow('v1', 'GET', `rooms/${path}`)) as unknown as { rooms: Answer[] };
    return rooms.find(({ room_id: id }) => id === inner);
  });
  assert.equal(found['name'], 'Inside');
  await guest.call('POST', `join/${encodeURIComponent(inner)}?${via}`, {});
  await isJoined(host, inner, guest);

  if (knows.times) await findByTime(host, guest, inner);

  const { replacement_room: next = '' } = await host.call('POST', room(inner, 'upgrade'), { new_version: '11' });
  await until('the guest sees where the room went', async () =>
    (await get(guest, room(inner, 'state/m.room.tombstone/')))['replacement_room'] === next ? true : undefined,
  );
  await guest.call('POST', `join/${encodeURIComponent(next)}?${via}`, {});
  await isJoined(host, next, guest);
  const created = await get(guest, room(next, 'state/m.room.create/'));
  assert.equal((created['predecessor'] as Answer)['room_id'], inner);

  await beUpgraded(host, guest, via);

  await host.call('POST', room(next, 'ban'), { user_id: guest.userId, reason: 'Enough' });
  await until('the guest is out', async () => {
    const { joined_rooms: joined } = await get(guest, 'joined_rooms');
    return (joined as string[]).includes(next) ? undefined : true;
  });
  await assert.rejects(guest.call('POST', `join/${encodeURIComponent(next)}?${via}`, {}), /403/);
  await host.call('POST', room(next, 'unban'), { user_id: guest.userId });
  await guest.call('POST', `join/${encodeURIComponent(next)}?${via}`, {});
  await isJoined(host, next, guest);
}

/** What is known of somebody in whose room one is: names that change, presence, keys that sign devices. */
export async function followPeople(host: Person, guest: Person): Promise<void> {
  const roomId = await meetInRoom(host, guest);
  for (const [one, other] of [
    [host, guest],
    [guest, host],
  ] as const) {
    const path = encodeURIComponent(other.userId);
    const name = `Name at ${Date.now()}`;
    await other.call('PUT', `profile/${path}/displayname`, { displayname: name });
    await until('the new name is in the room', async () =>
      (await get(one, room(roomId, `state/m.room.member/${path}`)))['displayname'] === name ? true : undefined,
    );
    await other.call('PUT', `presence/${path}/status`, { presence: 'online', status_msg: name });
    await sees(one, 'the presence', ({ presence }) =>
      presence?.events?.find(({ sender, content }) => sender === other.userId && content['status_msg'] === name),
    );
    const { body } = newIdentity(other.userId);
    await other.call('POST', 'keys/device_signing/upload', body);
    await until('the keys arrive', async () => {
      const asked = { device_keys: { [other.userId]: [] } };
      const answer = (await one.call('POST', 'keys/query', asked)) as unknown as Record<string, Record<string, Answer>>;
      const master = answer['master_keys']?.[other.userId]?.['keys'];
      return JSON.stringify(master) === JSON.stringify(body.master_key['keys']) ? true : undefined;
    });
  }
}
