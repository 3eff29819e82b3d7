import assert from 'node:assert/strict';
import { enter, type Person } from '../dev/client.ts';
import { room, until } from './until.ts';

const atOnce = 8;

/** How many are in a room, as somebody's server knows. */
async function countJoined(person: Person, roomId: string): Promise<number> {
  const { joined } = (await person.call('GET', room(roomId, 'joined_members'))) as unknown as { joined: object };
  return Object.keys(joined).length;
}

/** A room that many people of one server have come to in a moment, and then somebody of another one. */
export async function joinCrowd(
  host: Person,
  guest: Person,
  { baseUrl, serverName }: { readonly baseUrl: string; readonly serverName: string },
  size: number,
): Promise<void> {
  const body = { preset: 'public_chat', name: 'A crowd' };
  const { room_id: roomId = '' } = await host.call('POST', 'createRoom', body);
  const crowd: Person[] = [];
  let next = 0;
  const come = async (): Promise<void> => {
    for (let index = next++; index < size; index = next++) {
      const { person } = await enter(baseUrl, `crowd-${index}`, 'side by side');
      await person.call('POST', room(roomId, 'join'), {});
      crowd.push(person);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, come));
  const all = size + 1;
  assert.equal(await countJoined(host, roomId), all);
  await guest.call('POST', `join/${encodeURIComponent(roomId)}?server_name=${serverName}&via=${serverName}`, {});
  await until('the guest knows them all', async () => (await countJoined(guest, roomId)) === all + 1 || undefined);
  await until('and the host the guest', async () => (await countJoined(host, roomId)) === all + 1 || undefined);

  const hear = (person: Person, eventId: string) =>
    until(`${person.userId} hears it`, () => person.call('GET', room(roomId, `event/${encodeURIComponent(eventId)}`)));
  const talking = crowd.slice(0, 50);
  const said = await Promise.all(
    talking.map((person) => person.say(roomId, { msgtype: 'm.text', body: 'all at once' })),
  );
  for (const eventId of said) await hear(guest, eventId);
  await hear(host, await guest.say(roomId, { msgtype: 'm.text', body: 'so many' }));
  await Promise.all(talking.map((person) => person.call('POST', room(roomId, 'leave'), {})));
  const rest = all + 1 - talking.length;
  await until('the guest sees some leave', async () => (await countJoined(guest, roomId)) === rest || undefined);
}
