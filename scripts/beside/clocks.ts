import assert from 'node:assert/strict';
import { personAt, type Person } from '../dev/client.ts';
import { meetInRoom } from './meeting.ts';
import { room, until } from './until.ts';

/** An application service that says when its events were sent. It is told nothing. */
export const timekeeper = {
  id: 'timekeeper',
  url: null,
  as_token: 'tokenOfTheTimekeeper',
  hs_token: 'tokenForTheTimekeeper',
  sender_localpart: 'timekeeper',
  namespaces: { users: [], rooms: [], aliases: [] },
};

type Event = { readonly event_id: string; readonly origin_server_ts: number };

/** Events of a server whose clock is wrong keep the order in which they were sent, and what they say of the time. */
export async function sendAtOtherTimes(
  { baseUrl, serverName }: { readonly baseUrl: string; readonly serverName: string },
  guest: Person,
): Promise<void> {
  const keeper = personAt(baseUrl, `@${timekeeper.sender_localpart}:${serverName}`, timekeeper.as_token);
  const roomId = await meetInRoom(keeper, guest);
  const now = Date.now();
  const hour = 60 * 60 * 1000;
  const sent: Event[] = [];
  for (const ts of [now + hour, 1, now - 400 * 24 * hour, now, now + 2 * hour, now - hour]) {
    const path = `send/m.room.message/at-${ts}?ts=${ts}`;
    const { event_id: eventId = '' } = await keeper.call('PUT', room(roomId, path), { msgtype: 'm.text', body: 'now' });
    sent.push({ event_id: eventId, origin_server_ts: ts });
  }
  await keeper.call('PUT', room(roomId, `state/m.room.topic/?ts=2`), { topic: 'Long ago' });
  let seen: Event[] = [];
  await until('all of them arrive', async () => {
    const page = await guest.call('GET', room(roomId, 'messages?dir=b&limit=50'));
    const { chunk } = page as unknown as { chunk: (Event & { type: string })[] };
    seen = chunk
      .filter(({ type }) => type === 'm.room.message')
      .map(({ event_id: id, origin_server_ts: ts }) => ({ event_id: id, origin_server_ts: ts }))
      .toReversed();
    return seen.length === sent.length || undefined;
  });
  assert.deepEqual(seen, sent);
  await until('and the topic', async () =>
    (await guest.call('GET', room(roomId, 'state/m.room.topic/')))['topic'] === 'Long ago' ? true : undefined,
  );
  const answer = await guest.say(roomId, { msgtype: 'm.text', body: 'in between' });
  await until('what follows them arrives', () =>
    keeper.call('GET', room(roomId, `event/${encodeURIComponent(answer)}`)),
  );
}
