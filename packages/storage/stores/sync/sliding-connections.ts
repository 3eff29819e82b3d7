import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** What a client has of a room: see the table. */
export type SentRoomRow = {
  readonly room_nid: number;
  readonly sent_to: number;
  readonly timeline_limit: number;
  readonly membership: string;
  readonly is_dm: number;
  readonly config: string;
  readonly behind: string;
};

export type ConnectionRow = {
  readonly connection_nid: number;
  readonly conn_id: string;
  readonly base_serial: number;
  readonly used_at: number;
};

export type AnswerRow = { readonly serial: number; readonly parent: number; readonly rooms: string };
export type ConfigRow = { readonly hash: string; readonly config: string };

export type ConnectionKey = { readonly userId: string; readonly deviceId: string; readonly connId: string };

const columns = 'connection_nid, conn_id, base_serial, used_at';

const selectOfDevice = sql<ConnectionRow, [userId: string, deviceId: string]>(
  'sliding-connections.of-device',
  `select ${columns} from sliding_connections where user_id = $1 and device_id = $2 order by used_at`,
);

const selectOne = sql<ConnectionRow, [nid: number, userId: string, deviceId: string, connId: string]>(
  'sliding-connections.get',
  `select ${columns} from sliding_connections
   where connection_nid = $1 and user_id = $2 and device_id = $3 and conn_id = $4`,
);

const selectRooms = sql<SentRoomRow, [nid: number]>(
  'sliding-rooms.all',
  `select room_nid, sent_to, timeline_limit, membership, is_dm, config, behind from sliding_rooms where connection_nid = $1`,
);

const selectAnswers = sql<AnswerRow, [nid: number]>(
  'sliding-answers.all',
  'select serial, parent, rooms from sliding_answers where connection_nid = $1',
);

const selectConfigs = sql<ConfigRow, [nid: number]>(
  'sliding-configs.all',
  'select hash, config from sliding_configs where connection_nid = $1',
);

const insertConnection = sql<
  void,
  [nid: number, userId: string, deviceId: string, connId: string, baseSerial: number, usedAt: number]
>(
  'sliding-connections.insert',
  `insert into sliding_connections (connection_nid, user_id, device_id, conn_id, base_serial, used_at)
   values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
);

const insertConfigs = sql<void, [nid: number, configs: string]>(
  'sliding-configs.insert',
  `insert into sliding_configs (connection_nid, hash, config)
   select cast($1 as bigint), c.value ->> 0, c.value ->> 1 from json_each(cast($2 as text)) c
   where true on conflict do nothing`,
);

/* The columns of a room in a JSON array of arrays. */
const packedRoom = `cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), cast(r.value ->> 2 as bigint),
     r.value ->> 3, cast(r.value ->> 4 as bigint), r.value ->> 5, coalesce(r.value ->> 6, '')`;
const intoRooms = `insert into sliding_rooms
     (connection_nid, room_nid, sent_to, timeline_limit, membership, is_dm, config, behind)`;

const insertRooms = sql<void, [nid: number, rooms: string]>(
  'sliding-rooms.insert',
  `${intoRooms} select cast($1 as bigint), ${packedRoom} from json_each(cast($2 as text)) r`,
);

const moveBase = sql<void, [nid: number, serial: number, usedAt: number]>(
  'sliding-connections.move-base',
  `update sliding_connections set base_serial = $2, used_at = $3
   where connection_nid = $1 and (base_serial = $2 or base_serial = (
     select a.parent from sliding_answers a where a.connection_nid = $1 and a.serial = $2
   ))`,
);

const mergeAnswer = sql<void, [nid: number, serial: number]>(
  'sliding-rooms.merge-answer',
  `${intoRooms}
   select a.connection_nid, ${packedRoom}
   from sliding_answers a cross join json_each(a.rooms) r
   where a.connection_nid = $1 and a.serial = $2
   on conflict (connection_nid, room_nid) do update set sent_to = excluded.sent_to,
     timeline_limit = excluded.timeline_limit, membership = excluded.membership, is_dm = excluded.is_dm,
     config = excluded.config, behind = excluded.behind`,
);

const deleteOtherAnswers = sql<void, [nid: number, parent: number, keep: number]>(
  'sliding-answers.delete-others',
  `delete from sliding_answers
   where connection_nid = $1 and (parent <> $2 or serial not in (
     select a.serial from sliding_answers a where a.connection_nid = $1 order by a.serial desc limit $3
   ))`,
);

const insertAnswer = sql<void, [nid: number, serial: number, parent: number, rooms: string]>(
  'sliding-answers.insert',
  'insert into sliding_answers (connection_nid, serial, parent, rooms) values ($1, $2, $3, $4)',
);

const deleteUnusedConfigs = sql<void, [nid: number]>(
  'sliding-configs.delete-unused',
  `delete from sliding_configs
   where connection_nid = $1
     and hash not in (select r.config from sliding_rooms r where r.connection_nid = $1)
     and hash not in (
       select e.value ->> 5 from sliding_answers a cross join json_each(a.rooms) e where a.connection_nid = $1
     )`,
);

const inNids = 'connection_nid in (select cast(value as bigint) from json_each(cast($1 as text)))';
const deletes = ['sliding_connections', 'sliding_rooms', 'sliding_answers', 'sliding_configs'].map((table) =>
  sql<void, [nids: string]>(`${table.replace('_', '-')}.delete`, `delete from ${table} where ${inNids}`),
);

const ofDevices = `connection_nid in (
     select c.connection_nid from sliding_connections c
     where c.user_id = $1 and c.device_id in (select value from json_each(cast($2 as text)))
   )`;
/* The connections last: the others are found through them. */
const deletesOfDevices = ['sliding_rooms', 'sliding_answers', 'sliding_configs', 'sliding_connections'].map((table) =>
  sql<void, [userId: string, deviceIds: string]>(
    `${table.replace('_', '-')}.delete-of-devices`,
    `delete from ${table} where ${ofDevices}`,
  ),
);

const ofName = `connection_nid in (
     select c.connection_nid from sliding_connections c where c.user_id = $1 and c.device_id = $2 and c.conn_id = $3
   )`;
const deletesOfName = ['sliding_rooms', 'sliding_answers', 'sliding_configs', 'sliding_connections'].map((table) =>
  sql<void, [userId: string, deviceId: string, connId: string]>(
    `${table.replace('_', '-')}.delete-of-name`,
    `delete from ${table} where ${ofName}`,
  ),
);

/** Those that were not used for longest first. */
export function readConnections(reader: Reader, userId: string, deviceId: string): Promise<ConnectionRow[]> {
  return reader.all(selectOfDevice, [userId, deviceId]);
}

export function findConnection(reader: Reader, nid: number, key: ConnectionKey): Promise<ConnectionRow | undefined> {
  return reader.get(selectOne, [nid, key.userId, key.deviceId, key.connId]);
}

export function readSentRooms(reader: Reader, nid: number): Promise<SentRoomRow[]> {
  return reader.all(selectRooms, [nid]);
}

export function readAnswers(reader: Reader, nid: number): Promise<AnswerRow[]> {
  return reader.all(selectAnswers, [nid]);
}

export function readConfigs(reader: Reader, nid: number): Promise<ConfigRow[]> {
  return reader.all(selectConfigs, [nid]);
}

/**
 * Replaces the connection of that name: the one that is there when the set is written, whatever was there before. Fails on the guard
 * `sliding.raced` if another one comes at the same moment.
 */
export function addConnection(
  set: WriteSet,
  connection: ConnectionKey & { readonly nid: number; readonly serial: number },
  rooms: Iterable<SentRoomRow>,
  now: number,
): void {
  const { nid, userId, deviceId, connId, serial } = connection;
  for (const statement of deletesOfName) set.add(statement, [userId, deviceId, connId]);
  set.guard('sliding.raced', 1, insertConnection, [nid, userId, deviceId, connId, serial, now]);
  const packed = packRooms(rooms);
  if (packed !== '[]') set.add(insertRooms, [nid, packed]);
}

export function addConfigs(set: WriteSet, nid: number, configs: readonly ConfigRow[]): void {
  if (configs.length === 0) return;
  set.add(insertConfigs, [nid, JSON.stringify(configs.map(({ hash, config }) => [hash, config]))]);
}

/** How many answers to the same request are remembered: a client that asks anew uses one of the last. */
const answersKept = 8;

/**
 * Adds an answer to a client that has the answer `parent`, which thereby becomes the base: none before it is needed any
 * more. Fails on the guard `sliding.unknown-pos` if the connection is not there, or has left that answer behind.
 */
export function addAnswer(
  set: WriteSet,
  nid: number,
  { serial, parent, rooms }: { serial: number; parent: number; rooms: Iterable<SentRoomRow> },
  now: number,
): void {
  set.guard('sliding.unknown-pos', 1, moveBase, [nid, parent, now]);
  set.add(mergeAnswer, [nid, parent]);
  set.add(deleteOtherAnswers, [nid, parent, answersKept - 1]);
  set.add(insertAnswer, [nid, serial, parent, packRooms(rooms)]);
}

/** Drops the wishes of before that no room has any more. */
export function dropUnusedConfigs(set: WriteSet, nid: number): void {
  set.add(deleteUnusedConfigs, [nid]);
}

export function dropConnections(set: WriteSet, nids: readonly number[]): void {
  if (nids.length === 0) return;
  for (const statement of deletes) set.add(statement, [JSON.stringify(nids)]);
}

/** In the set that deletes the devices. */
export function dropConnectionsOf(set: WriteSet, userId: string, deviceIds: readonly string[]): void {
  for (const statement of deletesOfDevices) set.add(statement, [userId, JSON.stringify(deviceIds)]);
}

function packRooms(rooms: Iterable<SentRoomRow>): string {
  const packed: unknown[] = [];
  for (const room of rooms) {
    const { room_nid: nid, sent_to: sentTo, timeline_limit: limit, membership, is_dm: isDm, config, behind } = room;
    packed.push([nid, sentTo, limit, membership, isDm, config, behind]);
  }
  return JSON.stringify(packed);
}

/** The rooms of an answer. */
export function unpackRooms(text: string): SentRoomRow[] {
  return (JSON.parse(text) as [number, number, number, string, number, string, string?][]).map(
    ([roomNid, sentTo, limit, membership, isDm, config, behind = '']) => ({
      room_nid: roomNid,
      sent_to: sentTo,
      timeline_limit: limit,
      membership,
      is_dm: isDm,
      config,
      behind,
    }),
  );
}
