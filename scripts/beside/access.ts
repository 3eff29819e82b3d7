import assert from 'node:assert/strict';
import type { Person } from '../dev/client.ts';
import { meetInRoom } from './meeting.ts';
import { room, until } from './until.ts';

const find = (person: Person, roomId: string, eventId: string) =>
  person.call('GET', room(roomId, `event/${encodeURIComponent(eventId)}`));

/** The server of the guest is shut out of a room, and let in again. */
export async function shutOut(host: Person, guest: Person, guestServer: string): Promise<void> {
  const roomId = await meetInRoom(host, guest);
  const hear = (person: Person, eventId: string) =>
    until(`${person.userId} hears ${eventId}`, () => find(person, roomId, eventId));
  const change = async (deny: readonly string[]): Promise<void> => {
    // Ports are no part of what is denied.
    const acl = { allow: ['*'], deny, allow_ip_literals: true };
    await host.call('PUT', room(roomId, 'state/m.room.server_acl/'), acl);
    await until('the guest knows of it', async () => {
      const seen = (await guest.call('GET', room(roomId, 'state/m.room.server_acl/'))) as unknown as typeof acl;
      return seen.deny.join() === deny.join() ? true : undefined;
    });
  };
  await change(['elsewhere.example']);
  await hear(host, await guest.say(roomId, { msgtype: 'm.text', body: 'still here' }));
  await change([guestServer.replace(/:\d+$/, '')]);
  const unheard = await guest.say(roomId, { msgtype: 'm.text', body: 'does anybody hear?' }).catch(() => undefined);
  // In another room, what the same server sends after that arrives.
  const other = await meetInRoom(host, guest);
  const heard = await guest.say(other, { msgtype: 'm.text', body: 'here you do' });
  await until('the other room goes on', () => find(host, other, heard));
  if (unheard !== undefined) await assert.rejects(find(host, roomId, unheard), /: 404 /);
  await change([]);
  await hear(host, await guest.say(roomId, { msgtype: 'm.text', body: 'and now?' }));
  await hear(guest, await host.say(roomId, { msgtype: 'm.text', body: 'now I do' }));
}
