import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Person } from '../dev/client.ts';
import type { Bridge } from './bridge-process.ts';

/** The server, which ends and comes back at the same place. */
export type Restartable = {
  readonly start: () => Promise<void>;
  readonly end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
};

export type Step = (what: string, work: () => Promise<void>) => Promise<void>;

type Event = {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly content: { readonly body?: string };
};

const patience = 30_000;

/** Asks again until it is so: bridges do things in their own time. */
async function until(what: string, ask: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + patience; Date.now() < end; await delay(50)) {
    if (await ask()) return;
  }
  throw new Error(`It did not come to pass: ${what}`);
}

/** All messages of a room, the first one first. */
async function messages(person: Person, roomId: string): Promise<readonly Event[]> {
  const path = `rooms/${encodeURIComponent(roomId)}/messages?dir=f&limit=1000`;
  const { chunk } = (await person.call('GET', path)) as unknown as { chunk: Event[] };
  return chunk.filter(({ type }) => type === 'm.room.message');
}

const numbered = (what: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${what} ${index}`);

/** What people and a bridge do in a room that is not encrypted, while either end goes away and comes back. */
export async function bridgePlainly(bridge: Bridge, alice: Person, server: Restartable, step: Step): Promise<void> {
  const { prefix, domain } = bridge.options;
  const ghost = `@${prefix}anna:${domain}`;
  const told: string[] = [];
  let roomId = '';
  const say = async (texts: readonly string[]): Promise<void> => {
    for (const body of texts) {
      await alice.say(roomId, { msgtype: 'm.text', body });
      told.push(body);
    }
  };
  const hasBeenTold = async (): Promise<void> => {
    await bridge.until(`"${told.at(-1)}" arrives`, () => bridge.texts(roomId).length >= told.length);
    assert.deepEqual(bridge.texts(roomId), told);
  };
  const fromGhost = async (): Promise<readonly Event[]> =>
    (await messages(alice, roomId)).filter(({ sender }) => sender === ghost);

  await step('a ghost is made when somebody invites it, and joins', async () => {
    roomId = (await alice.call('POST', 'createRoom', { preset: 'private_chat' }))['room_id'] ?? '';
    await alice.call('POST', `rooms/${encodeURIComponent(roomId)}/invite`, { user_id: ghost });
    const path = `rooms/${encodeURIComponent(roomId)}/state/m.room.member/${encodeURIComponent(ghost)}`;
    await until('the ghost joins', async () => (await alice.call('GET', path))['membership'] === 'join');
  });

  await step('messages pass both ways', async () => {
    await say(['from Matrix', 'and another']);
    await hasBeenTold();
    const eventId = await bridge.say({ roomId, by: 'anna', text: 'from the network' });
    assert.equal((await fromGhost()).at(-1)?.event_id, eventId);
  });

  await step('what is filled in later has the times of the network', async () => {
    const past = [1, 2, 3].map((day) => Date.UTC(2020, 0, day));
    for (const ts of past) await bridge.say({ roomId, by: 'anna', text: `of ${ts}`, ts });
    const filled = (await fromGhost()).filter(({ content }) => content.body?.startsWith('of '));
    assert.deepEqual(
      filled.map(({ origin_server_ts: ts, content }) => [ts, content.body]),
      past.map((ts) => [ts, `of ${ts}`]),
    );
  });

  await step('nothing is lost while the bridge is away, whatever the server does meanwhile', async () => {
    await bridge.stop();
    await say(numbered('while the bridge is away', 60));
    await server.end('SIGTERM');
    await server.start();
    await say(numbered('and later', 5));
    await bridge.start();
    await hasBeenTold();
  });

  await step('nothing is lost or told twice where the server is killed while it tells', async () => {
    await bridge.stop();
    await say(numbered('much', 150));
    await bridge.start();
    await bridge.until('it is being told', () => bridge.texts(roomId).at(-1)?.startsWith('much') === true);
    await server.end('SIGKILL');
    await server.start();
    await say(numbered('afterwards', 3));
    await hasBeenTold();
  });

  await step('nothing is lost or said twice where the network speaks while the server is away', async () => {
    await server.end('SIGKILL');
    const texts = numbered('to nobody', 3);
    const said = Promise.all(texts.map((text) => bridge.say({ roomId, by: 'anna', text })));
    await server.start();
    const eventIds = await said;
    const last = (await fromGhost()).slice(-3);
    assert.deepEqual(
      last.map(({ event_id: eventId, content }) => [eventId, content.body]),
      texts.map((text, index) => [eventIds[index], text]),
    );
  });
}
