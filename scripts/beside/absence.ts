import assert from 'node:assert/strict';
import type { Person } from '../dev/client.ts';
import { meetInRoom } from './meeting.ts';
import { room, until } from './until.ts';

/** Synapse holds back a transaction for a minute that could not be sent a few times, and looks once a minute for what it has left. */
const patience = 150_000;

type Server = { kill(): Promise<unknown>; start(): Promise<unknown> };
type Event = { readonly event_id: string; readonly type: string; readonly content: Readonly<Record<string, unknown>> };
type Page = { readonly chunk: readonly Event[]; readonly end?: string };

/** All messages of a room, the first one first. */
async function readBack(person: Person, roomId: string): Promise<readonly Event[]> {
  const events: Event[] = [];
  for (let from: string | undefined = ''; from !== undefined;) {
    const page: Page = (await person.call('GET', room(roomId, `messages?dir=b&limit=100${from}`))) as unknown as Page;
    events.push(...page.chunk);
    from = page.end === undefined ? undefined : `&from=${encodeURIComponent(page.end)}`;
  }
  return events.filter(({ type }) => type === 'm.room.message').toReversed();
}

/** One process of several is killed, which may be the one that sends: the others go on with all that it did. */
export async function goOnWithout(
  host: Person,
  guest: Person,
  server: { killOne(): Promise<() => Promise<void>> },
): Promise<void> {
  const roomId = await meetInRoom(host, guest);
  const start = await server.killOne();
  const said: string[] = [];
  for (let count = 0; count < 20; count += 1) {
    for (const person of [host, guest]) {
      said.push(await person.say(roomId, { msgtype: 'm.text', body: `one is missing: ${count}` }));
    }
  }
  for (const person of [host, guest]) {
    await until(`${person.userId} has all of it`, async () => {
      const got = new Set((await readBack(person, roomId)).map((event) => event.event_id));
      return got.size === said.length && said.every((id) => got.has(id)) ? true : undefined;
    });
  }
  await start();
}

/** What is said, in how many rooms, while a server is away. */
export type Absence = {
  readonly rooms: number;
  readonly messages: number;
  /** How many the speaker's server sends without being told of something else to send. */
  readonly mostSent?: number;
};

/**
 * Says things in rooms, and changes them, while the server of the one who listens is away. All is there, in order, when it is
 * back: with one more message in the first room, since some servers try again only when there is something else to send.
 */
export async function missNothing(
  speaker: Person,
  listener: Person,
  server: Server,
  { rooms, messages, mostSent }: Absence,
): Promise<void> {
  const roomIds: string[] = [];
  for (let count = 0; count < rooms; count += 1) roomIds.push(await meetInRoom(speaker, listener));
  const said = new Map<string, string[]>(roomIds.map((roomId) => [roomId, []]));
  const say = async (roomId: string, body: string): Promise<void> => {
    said.get(roomId)?.push(await speaker.say(roomId, { msgtype: 'm.text', body }));
  };
  for (const roomId of roomIds) await say(roomId, 'before');
  await server.kill();
  for (const roomId of roomIds) {
    for (let count = 0; count < messages; count += 1) await say(roomId, `while you were away: ${count}`);
    await speaker.call('PUT', room(roomId, 'state/m.room.topic/'), { topic: 'It went on' });
    const [first = ''] = said.get(roomId) ?? [];
    await speaker.call('PUT', room(roomId, `redact/${encodeURIComponent(first)}/${Date.now()}`), {});
  }
  await server.start();
  const [firstRoom = ''] = roomIds;
  await say(firstRoom, 'there you are');
  if (mostSent !== undefined && rooms * messages > mostSent) {
    const [first = ''] = said.get(firstRoom) ?? [];
    const last = said.get(firstRoom)?.[Math.min(messages, mostSent) - rooms] ?? first;
    const path = room(firstRoom, `event/${encodeURIComponent(last)}`);
    await until('some of it is there', () => listener.call('GET', path), patience);
    for (const roomId of roomIds) await say(roomId, 'is that all?');
  }
  for (const [roomId, ids] of said) {
    let got: readonly string[] = [];
    await until(
      `all of ${roomId} is there, in order`,
      async () => {
        const events = await readBack(listener, roomId);
        got = events.map((event) => event.event_id);
        const isRedacted = events[0] !== undefined && Object.keys(events[0].content).length === 0;
        return got.join() === ids.join() && isRedacted ? true : undefined;
      },
      patience,
    ).catch((error: unknown) => {
      assert.deepEqual(got, ids);
      throw error;
    });
    const { topic } = await listener.call('GET', room(roomId, 'state/m.room.topic/'));
    assert.equal(topic, 'It went on');
  }
}
