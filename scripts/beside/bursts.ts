import type { Person } from '../dev/client.ts';
import { meetInRoom } from './meeting.ts';
import { sees, type Sync } from './syncing.ts';
import { room, until } from './until.ts';

const many = 40;

/** Types, reads and says how they are in quick succession: what the other sees in the end is what was last. */
export async function hurry(host: Person, guest: Person): Promise<void> {
  const roomId = await meetInRoom(host, guest);
  const said: string[] = [];
  for (let count = 0; count < many; count += 1) {
    said.push(await host.say(roomId, { msgtype: 'm.text', body: `quickly: ${count}` }));
  }
  const last = said.at(-1) ?? '';
  await until('all of it arrives', () => guest.call('GET', room(roomId, `event/${encodeURIComponent(last)}`)));
  const path = encodeURIComponent(guest.userId);
  const word = `at last ${Date.now()}`;
  for (const [index, eventId] of said.entries()) {
    const isLast = index === many - 1;
    await Promise.all([
      guest.call('POST', room(roomId, `receipt/m.read/${encodeURIComponent(eventId)}`), {}),
      guest.call('PUT', `presence/${path}/status`, { presence: 'online', status_msg: isLast ? word : `${index}` }),
      guest.call('PUT', room(roomId, `typing/${path}`), { typing: isLast || index % 2 === 0, timeout: 30_000 }),
    ]);
  }
  let [isTyping, hasRead, isOnline] = [false, false, false];
  await sees(host, 'what was last', (sync) => {
    for (const event of ephemeralIn(sync, roomId)) {
      if (event.type === 'm.typing') isTyping = (event.content['user_ids'] as string[]).includes(guest.userId);
      if (event.type === 'm.receipt') hasRead ||= JSON.stringify(event.content[last] ?? {}).includes(guest.userId);
    }
    isOnline ||= sync.presence?.events?.some(({ content }) => content['status_msg'] === word) === true;
    return isTyping && hasRead && isOnline ? true : undefined;
  });
  await guest.call('PUT', room(roomId, `typing/${path}`), { typing: false });
  // A first sync has nothing to say of a room where nobody types.
  isTyping = false;
  await sees(host, 'nobody type', (sync) => {
    const typing = ephemeralIn(sync, roomId).filter(({ type }) => type === 'm.typing');
    for (const { content } of typing) isTyping = (content['user_ids'] as string[]).includes(guest.userId);
    return isTyping ? undefined : true;
  });
}

function ephemeralIn(sync: Sync, roomId: string) {
  return sync.rooms?.join?.[roomId]?.ephemeral?.events ?? [];
}
