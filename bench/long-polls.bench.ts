import { setTimeout as sleep } from 'node:timers/promises';
import { createRoom, join, must, pathOf } from '@portico/testkit/people.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import type { Measurement } from './bench.ts';
import {
  anybody,
  canMeasure,
  measureRounds,
  register,
  startBareServer,
  startPortico,
  type MeasuredServer,
} from './measured-server.ts';

const watchers = 8;
const notices = 60;
/** Milliseconds between two notices. The plain servers tell of each by itself; Portico of those that come within a second together. */
const pause = 100;

type Room = { readonly id: string; readonly speaker: TestClient; readonly watching: readonly TestClient[] };

/** What it costs that eight people who wait hear of somebody typing, beside servers that do nothing else. */
export async function measured(): Promise<readonly Measurement[]> {
  if (!canMeasure) return [];
  return [
    ...(await measureServer("a notice, Node's HTTP server alone", () => startBareServer('http'), pretendRoom)),
    ...(await measureServer('a notice, Fastify alone', () => startBareServer('fastify'), pretendRoom)),
    ...(await measureServer('a notice, Portico', startPortico, makeRoom)),
  ];
}

async function measureServer(
  name: string,
  start: () => Promise<MeasuredServer>,
  enter: (baseUrl: string) => Promise<Room>,
): Promise<readonly Measurement[]> {
  const server = await start();
  const over = new AbortController();
  try {
    const room = await enter(server.baseUrl);
    const watching = room.watching.map((client) => watch(client, over.signal));
    await sleep(1000);
    const results = await measureRounds(server, name, notices, async (index) => {
      const next = sleep(pause);
      await notify(room, index);
      await next;
    });
    over.abort();
    await notify(room, 0);
    await Promise.all(watching);
    return results;
  } finally {
    await server.stop();
  }
}

async function makeRoom(baseUrl: string): Promise<Room> {
  const speaker = await register(baseUrl, 'speaker');
  const id = await createRoom(speaker);
  const watching = await Promise.all(Array.from({ length: watchers }, (_, index) => register(baseUrl, `p${index}`)));
  for (const person of watching) await join(person, id);
  return { id, speaker, watching };
}

async function pretendRoom(baseUrl: string): Promise<Room> {
  const watching = Array.from({ length: watchers }, () => anybody(baseUrl));
  return { id: '!room:localhost', speaker: anybody(baseUrl), watching };
}

async function watch(client: TestClient, over: AbortSignal): Promise<void> {
  let since = '';
  while (!over.aborted) {
    const body = await must(client.get(`/_matrix/client/v3/sync?timeout=30000${since && `&since=${since}`}`));
    since = String(body['next_batch']);
  }
}

/** Typing and no longer typing, in turns. */
async function notify({ id, speaker }: Room, index: number): Promise<void> {
  const body = index % 2 === 0 ? { typing: true, timeout: 30_000 } : { typing: false };
  await must(speaker.put(pathOf(id, `typing/${encodeURIComponent(speaker.userId)}`), body));
}
