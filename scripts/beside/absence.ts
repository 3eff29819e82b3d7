import type { Person } from '../dev/client.ts';
import { meetInRoom } from './meeting.ts';
import { room, until } from './until.ts';

/** Says things in a room while the server of the one who listens is away; they are all there, in order, when it is back. */
export async function missNothing(
  speaker: Person,
  listener: Person,
  server: { stop(): Promise<unknown>; start(): Promise<unknown> },
): Promise<void> {
  const roomId = await meetInRoom(speaker, listener);
  await server.stop();
  const said: string[] = [];
  for (let count = 0; count < 30; count += 1) {
    said.push(await speaker.say(roomId, { msgtype: 'm.text', body: `said while you were away: ${count}` }));
  }
  await server.start();
  // Some servers try again only when there is something else to send.
  said.push(await speaker.say(roomId, { msgtype: 'm.text', body: 'there you are' }));
  await until('all of it is there, in order', async () => {
    const page = (await listener.call('GET', room(roomId, 'messages?dir=b&limit=100'))) as unknown as {
      readonly chunk: readonly { readonly event_id: string; readonly type: string }[];
    };
    const seen = page.chunk.filter(({ type }) => type === 'm.room.message').map(({ event_id: eventId }) => eventId);
    return seen.toReversed().join() === said.join() ? true : undefined;
  });
}
