import assert from 'node:assert/strict';
import { copyFileSync, existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { findRoomVersion, parsePdu, toRoomEvent } from '@portico/protocol';
import { type Database, openDatabase, sql } from '@portico/storage';
import { openFor, temporarySqlite } from './both-engines.ts';
import { openTestRooms, type TestRooms } from './rooms.ts';

export type PduRow = { readonly event_id: string; readonly pdu: string };
export type PartitionedServer = TestRooms & { readonly db: Database };

const selectNewPdus = sql<PduRow, [roomId: string, after: number]>(
  'test.partition.new-pdus',
  `select event_id, before_content || content || after_content as pdu from events
   where room_nid = (select room_nid from rooms where room_id = $1) and stream_position > $2 order by room_order`,
);

const selectRoom = sql<{ room_nid: number; create_event_nid: number }, [roomId: string]>(
  'test.partition.room',
  'select room_nid, create_event_nid from rooms where room_id = $1',
);

export const alice = { userId: '@alice:a', deviceId: 'A' };
export const bob = { userId: '@bob:b', deviceId: 'B' };
export const carol = { userId: '@carol:b', deviceId: 'C' };

/** Two servers that have the same room with people of both, and do not hear of each other. Bob is a moderator. */
export async function partition(context: TestContext, version: string) {
  const url = temporarySqlite(context);
  const common = await openDatabase({ url, durability: 'relaxed' });
  const options = { roomVersion: version };
  const { rooms } = await openTestRooms(common, { ...options, serverName: 'a' });
  const power = { users: { '@bob:b': 50, ...(version === '12' ? {} : { '@alice:a': 100 }) } };
  const roomId = await rooms.create(alice, { preset: 'public_chat', power_level_content_override: power });
  const guests = await openTestRooms(common, { ...options, serverName: 'b' });
  const join = { reason: undefined, via: [] };
  await guests.rooms.join(bob, roomId, join);
  await guests.rooms.join(carol, roomId, join);
  await common.close();
  const copy = temporarySqlite(context);
  for (const suffix of ['', '-wal']) {
    const [from, to] = [url, copy].map((each) => `${each.slice('sqlite:'.length)}${suffix}`);
    if (existsSync(from ?? '')) copyFileSync(from ?? '', to ?? '');
  }
  const open = async (at: string, serverName: string): Promise<PartitionedServer> => {
    const db = await openFor(context, at);
    return { db, ...(await openTestRooms(db, { ...options, serverName })) };
  };
  return { roomId, a: await open(url, 'a'), b: await open(copy, 'b') };
}

/** What a server has added to a room since a position, as it would send it to others. */
export function newPdus({ db }: PartitionedServer, roomId: string, since: number): Promise<PduRow[]> {
  return db.all(selectNewPdus, [roomId, since]);
}

export async function deliver(
  pdus: readonly PduRow[],
  to: PartitionedServer,
  roomId: string,
  version: string,
): Promise<string[]> {
  const rules = findRoomVersion(version);
  const room = await to.db.get(selectRoom, [roomId]);
  assert.ok(rules !== undefined && room !== undefined);
  const outcomes: string[] = [];
  for (const { event_id: eventId, pdu } of pdus) {
    const parsed = parsePdu(rules, pdu);
    assert.equal(parsed.kind, 'ok');
    const event = toRoomEvent(rules, parsed.pdu, eventId, { rejected: false });
    const receiving = { roomNid: room.room_nid, rules, createEventNid: room.create_event_nid };
    outcomes.push((await to.rooms.receiver.receive(receiving, { event, pieces: parsed.pieces })).kind);
  }
  return outcomes;
}
