import { setTimeout as pause } from 'node:timers/promises';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { must, type Place, register, type StartServer } from './federated-server.ts';
import { behaviours, startHostilePeer } from './hostile-peer.ts';
import { cpuOf } from './process-cost.ts';

/** Runs a few at a time. */
async function each(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

type Watcher = { readonly seen: Map<string, number>; stop(): void; readonly done: Promise<void> };

type Timeline = { readonly events: Messages; readonly limited: boolean; readonly prev_batch: string };
type Messages = readonly { readonly content: { readonly body?: string } }[];

/** Notes when each message gets to somebody. */
function watch(client: TestClient, roomId: string): Watcher {
  const seen = new Map<string, number>();
  function note(events: Messages): void {
    const at = Date.now();
    for (const { content } of events) {
      const { body } = content;
      if (body !== undefined && !seen.has(body)) seen.set(body, at);
    }
  }
  /** A sync shows no more than the last few hundred: what came before them is read. */
  async function readBetween(newer: string, older: string): Promise<void> {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=500&to=${encodeURIComponent(older)}`;
    for (let from: unknown = newer; typeof from === 'string';) {
      const page = await must(client.get(`${path}&from=${encodeURIComponent(from)}`));
      note(page['chunk'] as Messages);
      from = page['end'];
    }
  }
  const filter = encodeURIComponent(
    JSON.stringify({ room: { timeline: { limit: 500, types: ['m.room.message'] }, state: { types: [] } } }),
  );
  const stopping = new AbortController();
  async function run(): Promise<void> {
    let since: string | undefined;
    while (!stopping.signal.aborted) {
      const from = since === undefined ? '' : `&since=${encodeURIComponent(since)}`;
      const body = await must(client.get(`/_matrix/client/v3/sync?filter=${filter}&timeout=1000${from}`));
      const timeline = (body['rooms'] as { join?: Record<string, { timeline: Timeline }> } | undefined)?.join?.[roomId]
        ?.timeline;
      if (timeline !== undefined) {
        note(timeline.events);
        if (timeline.limited && since !== undefined) await readBetween(timeline.prev_batch, since);
      }
      since = String(body['next_batch']);
    }
  }
  return { seen, stop: () => stopping.abort(), done: run() };
}

const percentile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

export type Load = {
  readonly place: Place;
  readonly start: StartServer;
  readonly members: number;
  readonly rate: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
};

export type LoadFigures = {
  readonly lag: { readonly [share in 'p50' | 'p95' | 'p99']: number };
  /** Of all servers together for an event, in milliseconds. */
  readonly cpu: number;
  readonly lost: number;
};

/**
 * Three servers of a kind with a room of many members, events from all of them, while one peer never answers, one answers
 * garbage and one answers without end.
 */
export async function runLoad({ place, start, members, rate, seconds, say }: Load): Promise<LoadFigures> {
  const servers = await Promise.all([start(), start(), start()]);
  const peers = await Promise.all(Object.values(behaviours).map((behave) => startHostilePeer(place, behave)));
  try {
    const [home] = servers;
    if (home === undefined) throw new Error('There is no server');
    const people = await Promise.all(servers.map((server, index) => register(server, `first-${index}`)));
    const [founder] = people;
    if (founder === undefined) throw new Error('There is nobody');
    const room = await must(
      founder.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', room_version: '11' }),
    );
    const roomId = String(room['room_id']);
    const enter = (client: TestClient) =>
      must(client.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=${home.name}`, {}));
    for (const person of people.slice(1)) await enter(person);
    for (const peer of peers) await peer.join(home.name, roomId);
    const started = performance.now();
    await each(members - people.length - peers.length, async (index) => {
      const server = servers[index % servers.length] ?? home;
      await enter(await register(server, `member-${index}`));
    });
    say(`${members} members on three servers after ${((performance.now() - started) / 1000).toFixed(1)} s`);

    // Joins from all sides at once are a load of their own; the one that is measured begins when all servers have all of them.
    for (const person of people) {
      for (;;) {
        const body = await must(person.get(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/joined_members`));
        if (Object.keys(body['joined'] as object).length >= members) break;
        await pause(200);
      }
    }
    say(`known to all of them after ${((performance.now() - started) / 1000).toFixed(1)} s`);

    const watchers = people.map((person) => watch(person, roomId));
    const before = servers.map(({ pid }) => cpuOf(pid));
    const sent = new Map<string, number>();
    const sending: Promise<unknown>[] = [];
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message`;
    const begun = Date.now();
    for (let index = 0; index < rate * seconds; index++) {
      const due = begun + (index * 1000) / rate;
      await pause(Math.max(0, due - Date.now()));
      const name = `event ${index}`;
      const person = people[index % people.length] ?? founder;
      sent.set(name, Date.now());
      sending.push(must(person.put(`${path}/${index}`, { msgtype: 'm.text', body: name })));
    }
    await Promise.all(sending);
    say(`${sent.size} events sent in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    const missing = () => watchers.map(({ seen }) => [...sent.keys()].filter((name) => !seen.has(name)).length);
    for (const end = Date.now() + 120_000; Date.now() < end && missing().some((count) => count > 0);) await pause(200);
    const used = servers.map(({ pid }, index) => cpuOf(pid) - (before[index] ?? 0));
    for (const watcher of watchers) watcher.stop();
    await Promise.all(watchers.map(({ done }) => done));

    const lags = watchers
      .flatMap(({ seen }) => [...seen].map(([name, at]) => at - (sent.get(name) ?? at)))
      .toSorted((a, b) => a - b);
    say(
      `CPU of each server for each event, a third of which are its own, in ms: ${used.map((ms) => (ms / sent.size).toFixed(2)).join(', ')}`,
    );
    say(`transactions to the peers that misbehave: ${peers.map((peer) => peer.transactions()).join(', ')}`);
    const lost = missing().reduce((sum, count) => sum + count, 0);
    if (lost > 0) for (const server of servers) say(server.output());
    return {
      lag: { p50: percentile(lags, 0.5), p95: percentile(lags, 0.95), p99: percentile(lags, 0.99) },
      cpu: used.reduce((sum, ms) => sum + ms, 0) / sent.size,
      lost,
    };
  } finally {
    for (const peer of peers) peer.close();
    await Promise.all(servers.map((server) => server.stop()));
  }
}
