import assert from 'node:assert/strict';
import type { Person } from '../dev/client.ts';
import { room, until } from './until.ts';

type Event = {
  readonly event_id: string;
  readonly type: string;
  readonly state_key?: string;
  readonly content: Readonly<Record<string, unknown>>;
};

async function membership(person: Person, roomId: string, of: Person): Promise<unknown> {
  return (await person.call('GET', room(roomId, `state/m.room.member/${encodeURIComponent(of.userId)}`)))['membership'];
}

async function messages(person: Person, roomId: string): Promise<readonly Event[]> {
  const page = (await person.call('GET', room(roomId, 'messages?dir=b&limit=100'))) as unknown as { chunk: Event[] };
  return page.chunk;
}

const sees = (person: Person, roomId: string, eventId: string) =>
  until(`${person.userId} sees ${eventId}`, async () =>
    (await messages(person, roomId)).find((event) => event.event_id === eventId),
  );

/** What the server of one of the two is known not to do. */
export type Without = { readonly guestRedacts?: false };

/** Everything that people do in a room of one server, with somebody of the other one in it. */
export async function liveInRoom(
  host: Person,
  guest: Person,
  hostServer: string,
  version: string,
  without: Without = {},
): Promise<void> {
  const name = `beside-${version}-${Date.now()}`;
  const created = await host.call('POST', 'createRoom', {
    preset: 'public_chat',
    room_version: version,
    room_alias_name: name,
    name: 'Before',
  });
  const roomId = created['room_id'] ?? '';
  const alias = encodeURIComponent(`#${name}:${hostServer}`);
  const early = await host.say(roomId, { msgtype: 'm.text', body: 'before anybody came' });

  // Directory, and a join by it.
  assert.equal((await guest.call('GET', `directory/room/${alias}`))['room_id'], roomId);
  await guest.call('POST', `join/${alias}`, {});
  await until('the host knows the guest', async () => (await membership(host, roomId, guest)) === 'join' || undefined);

  // Messages both ways, and those of before.
  await sees(guest, roomId, early);
  await sees(guest, roomId, await host.say(roomId, { msgtype: 'm.text', body: 'welcome' }));
  const said = await guest.say(roomId, { msgtype: 'm.text', body: 'thank you' });
  await sees(host, roomId, said);

  // A redaction by each, of their own and of the other's.
  const own = await host.say(roomId, { msgtype: 'm.text', body: 'regretted' });
  await sees(guest, roomId, own);
  for (const eventId of [own, said]) {
    await host.call('PUT', room(roomId, `redact/${encodeURIComponent(eventId)}/${Date.now()}`), {});
    if (without.guestRedacts === false) continue;
    await until(`the guest's server redacts ${eventId}`, async () => {
      const event = (await messages(guest, roomId)).find((each) => each.event_id === eventId);
      return event !== undefined && Object.keys(event.content).length === 0 ? true : undefined;
    });
  }

  // A change of state by each.
  await host.call('PUT', room(roomId, 'state/m.room.name/'), { name: 'After' });
  await until('the guest sees the new name', async () =>
    (await guest.call('GET', room(roomId, 'state/m.room.name/')))['name'] === 'After' ? true : undefined,
  );
  const powers = (await host.call('GET', room(roomId, 'state/m.room.power_levels/'))) as Record<string, unknown>;
  const users = powers['users'] as Record<string, number> | undefined;
  await host.call('PUT', room(roomId, 'state/m.room.power_levels/'), {
    ...powers,
    users: { ...users, [guest.userId]: 50 },
  });
  await until('the guest may change the topic', async () => {
    await guest.call('PUT', room(roomId, 'state/m.room.topic/'), { topic: 'By the guest' });
    return true;
  });
  await until('the host sees the topic', async () =>
    (await host.call('GET', room(roomId, 'state/m.room.topic/')))['topic'] === 'By the guest' ? true : undefined,
  );

  // A leave, a private room, an invitation declined, another one taken.
  await guest.call('POST', room(roomId, 'leave'), {});
  await until(
    'the host sees the guest leave',
    async () => (await membership(host, roomId, guest)) === 'leave' || undefined,
  );
  const secret =
    (await host.call('POST', 'createRoom', { preset: 'private_chat', room_version: version }))['room_id'] ?? '';
  for (const answer of ['leave', 'join'] as const) {
    await host.call('POST', room(secret, 'invite'), { user_id: guest.userId });
    await until('the guest is invited', async () => {
      const sync = (await guest.call('GET', 'sync')) as unknown as { rooms?: { invite?: Record<string, unknown> } };
      return sync.rooms?.invite?.[secret];
    });
    await guest.call('POST', room(secret, answer), {});
    await until('the host hears of it', async () => (await membership(host, secret, guest)) === answer || undefined);
  }
  await sees(guest, secret, await host.say(secret, { msgtype: 'm.text', body: 'between us' }));
  await host.call('POST', room(secret, 'kick'), { user_id: guest.userId });
  await until('the guest is out', async () => {
    const sync = (await guest.call('GET', 'joined_rooms')) as unknown as { joined_rooms: string[] };
    return sync.joined_rooms.includes(secret) ? undefined : true;
  });
}

/** What people see of each other without a room: profile, files, the directory. */
export async function lookAcross(one: Person, other: Person, otherServer: string): Promise<void> {
  const path = `profile/${encodeURIComponent(other.userId)}/displayname`;
  await other.call('PUT', path, { displayname: `Name of ${other.userId}` });
  assert.equal((await one.call('GET', path))['displayname'], `Name of ${other.userId}`);

  const bytes = new Uint8Array(Buffer.from(`a file of ${other.userId}`.repeat(1000)));
  const uri = await other.upload(bytes, 'text/plain');
  assert.ok((await one.download(uri)).equals(Buffer.from(bytes)));

  const listed = await other.call('POST', 'createRoom', {
    preset: 'public_chat',
    visibility: 'public',
    name: 'Listed',
  });
  // Synapse works out what is in its directory in its own time, and gives the same answer to the same question for a while.
  let limit = 100;
  await until('the room is in the directory', async () => {
    const path = `publicRooms?server=${encodeURIComponent(otherServer)}&limit=${limit++}`;
    const { chunk } = (await one.call('GET', path)) as unknown as { chunk: { room_id: string }[] };
    return chunk.find((each) => each.room_id === listed['room_id']);
  });
}
