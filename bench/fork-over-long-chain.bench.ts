import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRoomVersion, parsePdu, toRoomEvent } from '@portico/protocol';
import { type Database, openDatabase, sql } from '@portico/storage';
import { openTestRooms, type TestRooms } from '@portico/testkit/rooms.ts';
import type { Measurement } from './bench.ts';

/**
 * Two branches that meet over an auth chain of 100,000 events, resolved from storage: in the one case power levels that
 * changed that often, in the other as many joins. `PORTICO_BENCH_CHAIN` takes another length.
 */
const length = Number(process.env['PORTICO_BENCH_CHAIN'] ?? 100_000);

const alice = { userId: '@alice:a', deviceId: 'A' };
const bob = { userId: '@bob:b', deviceId: 'B' };
const join_ = { reason: undefined, via: [] };

const selectNewPdus = sql<{ event_id: string; pdu: string }, [roomId: string, after: number]>(
  'bench.fork.new-pdus',
  `select event_id, before_content || content || after_content as pdu from events
   where room_nid = (select room_nid from rooms where room_id = $1) and stream_position > $2 order by room_order`,
);
const selectRoom = sql<{ room_nid: number; create_event_nid: number }, [roomId: string]>(
  'bench.fork.room',
  'select room_nid, create_event_nid from rooms where room_id = $1',
);

type Grow = (rooms: TestRooms['rooms'], roomId: string, index: number, version: string) => Promise<unknown>;

const chains: Readonly<Record<string, Grow>> = {
  'power levels changed': (rooms, roomId, index, version) =>
    rooms.setState(alice, roomId, 'm.room.power_levels', '', {
      users: { '@bob:b': 50, ...(version === '12' ? {} : { '@alice:a': 100 }) },
      events: { [`type ${index % 20}`]: index % 2 },
    }),
  members: (rooms, roomId, index) => rooms.join({ userId: `@user-${index}:a`, deviceId: 'A' }, roomId, join_),
};

export async function measured(): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const [name, grow] of Object.entries(chains)) {
    for (const version of ['11', '12']) measurements.push(...(await measureFork(name, version, grow)));
  }
  return measurements;
}

async function measureFork(name: string, version: string, grow: Grow): Promise<Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-bench-'));
  const open = (file: string) => openDatabase({ url: `sqlite:${join(folder, file)}`, durability: 'relaxed' });
  try {
    const common = await open('a.db');
    const { rooms } = await openTestRooms(common, { serverName: 'a', roomVersion: version });
    const roomId = await rooms.create(alice, { preset: 'public_chat' });
    await openTestRooms(common, { serverName: 'b' }).then((guests) => guests.rooms.join(bob, roomId, join_));
    for (let index = 0; index < length; index += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, each) => grow(rooms, roomId, index + each, version)));
    }
    await common.close();
    for (const suffix of ['', '-wal']) {
      if (existsSync(join(folder, `a.db${suffix}`)))
        copyFileSync(join(folder, `a.db${suffix}`), join(folder, `b.db${suffix}`));
    }
    const [a, b] = [await open('a.db'), await open('b.db')];
    const atA = await openTestRooms(a, { serverName: 'a' });
    const atB = await openTestRooms(b, { serverName: 'b' });
    const since = b.currentPosition();
    await atA.rooms.setState(alice, roomId, 'm.room.name', '', { name: 'by alice' });
    await atB.rooms.leave(bob, roomId, undefined);
    const [leave] = await b.all(selectNewPdus, [roomId, since]);
    if (leave === undefined) throw new Error('the other branch has no event');
    globalThis.gc?.();
    const memory = process.memoryUsage().heapUsed;
    const cpu = process.cpuUsage();
    const start = performance.now();
    await deliver(a, atA, roomId, version, leave);
    const microseconds = (performance.now() - start) * 1000;
    const { user, system } = process.cpuUsage(cpu);
    const spent = Math.round((user + system) / 1000);
    const grown = Math.round((process.memoryUsage().heapUsed - memory) / 1e6);
    await Promise.all([a.close(), b.close()]);
    return [
      {
        name: `merge of two branches, ${length} ${name}, version ${version} (${spent} CPU-ms, heap +${grown} MB)`,
        microseconds,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function deliver(
  db: Database,
  { rooms }: TestRooms,
  roomId: string,
  version: string,
  { event_id: eventId, pdu }: { readonly event_id: string; readonly pdu: string },
): Promise<void> {
  const [rules, room] = [findRoomVersion(version), await db.get(selectRoom, [roomId])];
  const parsed = rules && parsePdu(rules, pdu);
  if (rules === undefined || room === undefined || parsed?.kind !== 'ok') throw new Error('the event cannot be read');
  const event = toRoomEvent(rules, parsed.pdu, eventId, { rejected: false });
  const receiving = { roomNid: room.room_nid, rules, createEventNid: room.create_event_nid };
  const outcome = await rooms.receiver.receive(receiving, { event, pieces: parsed.pieces });
  if (outcome.kind !== 'accepted') throw new Error(`the event was not accepted: ${outcome.kind}`);
}
