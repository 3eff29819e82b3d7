import type { Person } from '../dev/client.ts';
import { room, until } from './until.ts';

/** A private room that the guest has been invited to, and has come to, as both servers know. */
export async function meetInRoom(host: Person, guest: Person): Promise<string> {
  const { room_id: roomId = '' } = await host.call('POST', 'createRoom', { preset: 'private_chat' });
  await host.call('POST', room(roomId, 'invite'), { user_id: guest.userId });
  await until('the guest comes', () => guest.call('POST', room(roomId, 'join'), {}));
  await until('the host sees that', async () => {
    const path = room(roomId, `state/m.room.member/${encodeURIComponent(guest.userId)}`);
    return (await host.call('GET', path))['membership'] === 'join' ? true : undefined;
  });
  return roomId;
}
