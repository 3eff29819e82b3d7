import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultRoomEventFilter } from '@portico/protocol/sync-filter/filter.ts';
import { noHistory } from '@portico/server/services/reading/history.ts';
import { readMessages } from '@portico/server/services/reading/messages.ts';
import { createReading } from '@portico/server/services/reading/reading.ts';
import { createAccountDataStream } from '@portico/server/services/sync/streams/account-data.ts';
import { createReceiptStream } from '@portico/server/services/sync/streams/receipts.ts';
import { createSync } from '@portico/server/services/sync/sync.ts';
import { openDatabase } from '@portico/storage';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import type { Measurement } from './bench.ts';

const lazy = (limit: number) => JSON.stringify({ room: { state: { lazy_load_members: true }, timeline: { limit } } });
const person = (name: string) => ({ userId: `@${name}:localhost`, deviceId: 'D' });

/** Without HTTP, on SQLite: what the sync engine itself costs, sends included where there are any. */
export async function measured(): Promise<readonly Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-bench-'));
  const db = await openDatabase({ url: `sqlite:${join(folder, 'bench.db')}`, durability: 'relaxed' });
  const { rooms, states } = await openTestRooms(db);
  const reading = createReading({ db, states, now: Date.now });
  const streams = [
    createAccountDataStream({ defaultPushRules: () => Promise.resolve({ global: {} }) }),
    createReceiptStream(),
  ];
  const sync = createSync({ reading, streams, filters: { get: () => Promise.resolve('{}') } });
  const { signal } = new AbortController();
  const ask = (who: ReturnType<typeof person>, filter: string, since?: string, timeout = 0) =>
    sync.sync({ ...who, since, filter, fullState: false, timeout, stateField: 'state', signal });
  const tokenOf = (answer: string) => (JSON.parse(answer) as { next_batch: string }).next_batch;

  const alice = person('alice');
  const others = Array.from({ length: 9 }, (_, index) => person(`u${index}`));
  const roomIds: string[] = [];
  for (let count = 0; count < 30; count++) {
    const roomId = await rooms.create(alice, { preset: 'public_chat', name: `room ${count}` });
    roomIds.push(roomId);
    for (const who of others) await rooms.join(who, roomId, { reason: undefined, via: [] });
    for (const who of [...others, ...others, ...others, ...others]) await say(who, roomId);
  }
  async function say(who: ReturnType<typeof person>, roomId: string): Promise<void> {
    await rooms.send(who, roomId, 'm.room.message', String(Math.random()), { body: 'hello '.repeat(20) });
  }

  const measurements: Measurement[] = [];
  async function time(name: string, times: number, run: (index: number) => Promise<unknown>): Promise<void> {
    for (let index = 0; index < times / 5; index++) await run(index);
    const before = process.cpuUsage();
    for (let index = 0; index < times; index++) await run(index);
    const { user, system } = process.cpuUsage(before);
    measurements.push({ name, microseconds: (user + system) / times });
  }

  const [roomId = ''] = roomIds;
  const [speaker = alice] = others;
  await time('initial sync of 30 rooms, lazy, 20 events each', 50, () => ask(alice, lazy(20)));
  let since = tokenOf(await ask(alice, lazy(20)));
  await time('incremental sync, empty', 20_000, () => ask(alice, lazy(20), since));
  const filter = { ...defaultRoomEventFilter, lazyLoadMembers: true };
  const page = { roomId, direction: 'backwards', from: undefined, to: undefined, limit: 50, filter } as const;
  await time('50 messages', 500, () => readMessages({ ...reading, history: noHistory }, alice, page));
  await time('a send that nobody watches', 500, () => say(speaker, roomId));
  since = tokenOf(await ask(alice, lazy(20)));
  await time('a send and its delivery to one watcher', 500, async () => {
    const answer = ask(alice, lazy(20), since, 10_000);
    await say(speaker, roomId);
    since = tokenOf(await answer);
  });
  sync.close();
  await db.close();
  rmSync(folder, { recursive: true, force: true });
  return measurements;
}
