import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWriteSet, openDatabase, sql } from '@portico/storage';
import type { Database, PositionParam, WriteSet } from '@portico/storage';
import type { Measurement } from './bench.ts';

/** What was measured, in microseconds. */
type Figures = Record<string, number>;

const putMetadata = sql<void, [key: string, value: string]>(
  'bench.metadata',
  `insert into server_metadata (key, value) values ($1, $2)
   on conflict (key) do update set value = excluded.value`,
);
const putSequence = sql<void, [name: string, position: PositionParam]>(
  'bench.sequence',
  `insert into id_sequences (name, next_id) values ($1, position($2))
   on conflict (name) do update set next_id = excluded.next_id`,
);
const getMetadata = sql<{ readonly value: string }, [key: string]>(
  'bench.get',
  'select value from server_metadata where key = $1',
);

const body = `{"body":"${'x'.repeat(300)}","msgtype":"m.text"}`;

/** Four statements, as many parameters and bytes as a small send has. */
function sendLike(room: number, round: number): WriteSet {
  const set = createWriteSet();
  const position = set.takePosition();
  set.add(putMetadata, [`event.${room}.${round}`, body]);
  set.guard('room.head', 1, putSequence, [`room.${room}`, position]);
  set.guard('room.first', 1, putMetadata, [`room.${room}`, '["$abcdefghijklmnopqrstuvwxyz"]']);
  set.add(putMetadata, [`receipt.${room}`, String(round)]);
  set.change('room', room);
  return set;
}

async function withDatabase<T>(durability: 'full' | 'relaxed', body: (database: Database) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-bench-'));
  const url = process.env['PORTICO_BENCH_DATABASE'] ?? `sqlite:${join(folder, 'bench.db')}`;
  const database = await openDatabase({ url, durability });
  try {
    return await body(database);
  } finally {
    await database.close();
    rmSync(folder, { recursive: true });
  }
}

/** `width` writers that each wait for their acknowledgement. */
function writes(durability: 'full' | 'relaxed', width: number, rounds: number): Promise<Figures> {
  return withDatabase(durability, async (database) => {
    const slowest: number[] = [];
    const writer = async (room: number, from: number, to: number) => {
      for (let round = from; round < to; round++) {
        const started = performance.now();
        await database.commit(sendLike(room, round));
        slowest.push(performance.now() - started);
      }
    };
    const all = (from: number, to: number) =>
      Promise.all(Array.from({ length: width }, (_, room) => writer(room, from, to)));
    await all(0, rounds / 10);
    slowest.length = 0;
    const started = performance.now();
    const process0 = process.cpuUsage();
    const thread0 = process.threadCpuUsage();
    await all(rounds / 10, rounds);
    const thread = process.threadCpuUsage(thread0);
    const whole = process.cpuUsage(process0);
    const sets = width * rounds * 0.9;
    const sorted = slowest.toSorted((a, b) => a - b);
    return {
      wall: ((performance.now() - started) * 1000) / sets,
      'main thread': (thread.user + thread.system) / sets,
      'all threads': (whole.user + whole.system) / sets,
      'p50 latency': (sorted[Math.floor(sorted.length / 2)] ?? 0) * 1000,
      'p99.9 latency': (sorted[Math.floor(sorted.length * 0.999)] ?? 0) * 1000,
    };
  });
}

async function reads(): Promise<Figures> {
  return withDatabase('relaxed', async (database) => {
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 200 }, (_, room) => database.commit(sendLike(room, round))));
    }
    const rounds = 30_000;
    const quiet = performance.now();
    for (let index = 0; index < rounds; index++)
      await database.get(getMetadata, [`event.${index % 200}.${index % 20}`]);
    const each = ((performance.now() - quiet) * 1000) / rounds;
    let busy = 0;
    for (let index = 0; index < 1000; index++) {
      await database.commit(sendLike(index % 200, 100 + index));
      const started = performance.now();
      await database.get(getMetadata, [`event.${index % 200}.${index % 20}`]);
      busy += performance.now() - started;
    }
    return { 'point read': each, 'point read after a commit': busy };
  });
}

export async function measured(): Promise<readonly Measurement[]> {
  const runs: readonly [string, () => Promise<Figures>][] = [
    ['4 statements, 1 writer, full', () => writes('full', 1, 1000)],
    ['4 statements, 8 writers, full', () => writes('full', 8, 2000)],
    ['4 statements, 64 writers, full', () => writes('full', 64, 600)],
    ['4 statements, 8 writers, relaxed', () => writes('relaxed', 8, 2000)],
    ['reads', reads],
  ];
  const measurements: Measurement[] = [];
  for (const [name, run] of runs) {
    for (const [figure, microseconds] of Object.entries(await run())) {
      measurements.push({ name: `${name}: ${figure}`, microseconds });
    }
  }
  return measurements;
}
