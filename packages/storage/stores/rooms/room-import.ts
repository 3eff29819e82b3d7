import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { addPowerLevelsLink, type PowerLevelsLink } from '../events/power-levels-links.ts';

/** An entry of an imported state: `[type, state key, event]`. */
export type ImportedEntry = readonly [type: string, stateKey: string, eventNid: number];
/** `[user ID, membership, event, whether the person is one of this server]`. */
export type ImportedMember = readonly [userId: string, membership: string, eventNid: number, isLocal: 0 | 1];

const clearCurrentState = sql<void, [roomNid: number]>(
  'room-import.clear-state',
  'delete from current_state where room_nid = $1',
);

const insertCurrentState = sql<void, [roomNid: number, entries: string]>(
  'room-import.add-state',
  `insert into current_state (room_nid, type, state_key, event_nid)
   select $1, value ->> 0, value ->> 1, cast(value ->> 2 as bigint) from json_each(cast($2 as text))`,
);

const upsertMembers = sql<void, [roomNid: number, members: string, position: PositionParam]>(
  'room-import.add-members',
  `insert into memberships (room_nid, user_id, membership, event_nid, room_order, position, is_local, forgotten)
   select $1, value ->> 0, value ->> 1, cast(value ->> 2 as bigint), position($3) * 1048576, position($3),
     cast(value ->> 3 as bigint), 0
   from json_each(cast($2 as text)) where true
   on conflict (room_nid, user_id) do update set membership = excluded.membership, event_nid = excluded.event_nid,
     room_order = excluded.room_order, position = excluded.position,
     forgotten = case when excluded.membership in ('join', 'knock') then 0 else memberships.forgotten end`,
);

const leaveOthers = sql<void, [roomNid: number, position: PositionParam]>(
  'room-import.leave-others',
  `update memberships set membership = 'leave', position = position($2), room_order = position($2) * 1048576
   where room_nid = $1 and membership <> 'leave' and position < position($2)`,
);

const clearHosts = sql<void, [roomNid: number]>(
  'room-import.clear-hosts',
  'update joined_hosts set joined = 0 where room_nid = $1',
);

const upsertHosts = sql<void, [roomNid: number, hosts: string, position: PositionParam]>(
  'room-import.add-hosts',
  `insert into joined_hosts (room_nid, host, joined, since_position)
   select $1, value ->> 0, cast(value ->> 1 as bigint), position($3) from json_each(cast($2 as text)) where true
   on conflict (room_nid, host) do update set joined = excluded.joined, since_position = excluded.since_position`,
);

const selectUnplaced = sql<{ event_nid: number }, [nids: string]>(
  'room-import.unplaced',
  `select event_nid from events
   where event_nid in (select cast(value as bigint) from json_each(cast($1 as text))) and chain_id is null`,
);

const placeEvent = sql<void, [eventNid: number, chain: number, seq: number, powerLevelsNid: number | null]>(
  'room-import.place',
  'update events set chain_id = $2, chain_seq = $3, power_levels_nid = $4 where event_nid = $1 and chain_id is null',
);

/** Those of some events that were stored before anything was known of their auth chains. */
export async function readUnplaced(reader: Reader, nids: readonly number[]): Promise<ReadonlySet<number>> {
  if (nids.length === 0) return new Set();
  return new Set((await reader.all(selectUnplaced, [JSON.stringify(nids)])).map((row) => row.event_nid));
}

/** Gives such an event its place. */
export function setPlace(
  set: WriteSet,
  event: PowerLevelsLink,
  { chain, seq }: { readonly chain: number; readonly seq: number },
): void {
  set.add(placeEvent, [event.eventNid, chain, seq, event.powerLevelsNid ?? null]);
  addPowerLevelsLink(set, event);
}

/** Entries and members written by one statement. */
const perStatement = 2000;

/** Makes these the entries of a room's state, in place of those it had. */
export function replaceCurrentState(set: WriteSet, roomNid: number, entries: readonly ImportedEntry[]): void {
  set.add(clearCurrentState, [roomNid]);
  for (const part of partsOf(entries)) set.add(insertCurrentState, [roomNid, JSON.stringify(part)]);
}

/** Makes these the members of a room; whoever else was one has left. */
export function replaceMembers(
  set: WriteSet,
  roomNid: number,
  members: readonly ImportedMember[],
  hosts: ReadonlyMap<string, number>,
  position: PositionParam,
): void {
  for (const part of partsOf(members)) set.add(upsertMembers, [roomNid, JSON.stringify(part), position]);
  set.add(leaveOthers, [roomNid, position]);
  set.add(clearHosts, [roomNid]);
  for (const part of partsOf([...hosts])) set.add(upsertHosts, [roomNid, JSON.stringify(part), position]);
}

function* partsOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += perStatement) yield items.slice(start, start + perStatement);
}
