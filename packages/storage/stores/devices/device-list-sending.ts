import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { queueHosts } from '../federation/stored-edus.ts';

const selectHosts = sql<{ host: string }, [userId: string, own: string]>(
  'device-lists.hosts',
  `select distinct h.host from memberships m
   join joined_hosts h on h.room_nid = m.room_nid and h.joined > 0 and h.host <> $2
   where m.user_id = $1 and m.membership = 'join'`,
);

/** The other servers that somebody shares a room with. */
export async function readHostsSharing(reader: Reader, userId: string, own: string): Promise<readonly string[]> {
  return (await reader.all(selectHosts, [userId, own])).map((row) => row.host);
}

const selectStreamIds = sql<{ user_id: string; stream_id: number | null }, [users: string]>(
  'device-lists.stream-ids',
  `select l.user_id, l.stream_id from json_each(cast($1 as text)) u
   join device_lists l on l.user_id = u.value where l.stream_id is not null`,
);

/** The numbers of the last updates of people's devices, where there was any. */
export async function readStreamIds(reader: Reader, users: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (users.length === 0) return new Map();
  const rows = await reader.all(selectStreamIds, [JSON.stringify(users)]);
  return new Map(rows.map((row) => [row.user_id, row.stream_id ?? 0]));
}

/** An update of one device as JSON text, but for its place in the stream: what is written before and behind that. */
export type DeviceUpdate = { readonly before: string; readonly behind: string };

/** How many updates may share a position. */
const perPosition = 4096;
/** Where more devices change at once, other servers are told only that they have missed something. */
const maxUpdates = 20;

const insertUpdates = sql<void, [updates: string, position: PositionParam, userId: string]>(
  'device-lists.queue-updates',
  `insert into stored_edus (position, seq, edu_type, content)
   select position($2), cast(u.key as bigint), 'm.device_list_update',
     (u.value ->> 0) || '"prev_id":[' || case
       when cast(u.value ->> 2 as bigint) > 0
         then cast(position($2) * ${perPosition} + cast(u.value ->> 2 as bigint) - 1 as text)
       else coalesce((select cast(l.stream_id as text) from device_lists l where l.user_id = $3), '0')
     end || '],"stream_id":' || cast(position($2) * ${perPosition} + cast(u.value ->> 2 as bigint) as text)
     || (u.value ->> 1)
   from json_each(cast($1 as text)) u
   where exists (
     select 1 from stored_edu_hosts h where h.position = position($2) and h.seq = cast(u.key as bigint))`,
);

const setStreamId = sql<void, [userId: string, position: PositionParam, last: number]>(
  'device-lists.set-stream-id',
  `insert into device_lists (user_id, position, stream_id) values ($1, position($2), position($2) * ${perPosition} + $3)
   on conflict (user_id) do update set position = excluded.position, stream_id = excluded.stream_id`,
);

/**
 * Numbers changes of somebody's devices, and queues them for other servers. Each names the one before it, so that a server
 * that has missed one knows; before the first is 0, which is what servers are told that ask before there was any. `position` is that of {@link markDeviceList}.
 */
export function queueDeviceUpdates<Device>(
  set: WriteSet,
  userId: string,
  hosts: readonly string[],
  devices: readonly Device[],
  describe: (device: Device) => DeviceUpdate,
  position: PositionParam,
): void {
  if (devices.length === 0) return;
  const last = Math.min(devices.length, perPosition) - 1;
  if (hosts.length > 0) {
    const sent = (devices.length > maxUpdates ? devices.slice(-1) : devices).map(describe);
    queueHosts(
      set,
      sent.map(({ before, behind }) => ({ sender: userId, hosts, characters: before.length + behind.length })),
      position,
    );
    const packed = sent.map(({ before, behind }, index) => [before, behind, last - (sent.length - 1) + index]);
    set.add(insertUpdates, [JSON.stringify(packed), position, userId]);
  }
  set.add(setStreamId, [userId, position, last]);
}

export type MoveRow = {
  readonly position: number;
  readonly room_nid: number;
  readonly user_id: string;
  readonly membership: string;
};

const selectMoves = sql<MoveRow, [after: number, upTo: number, limit: number]>(
  'device-lists.comings-and-goings',
  `select c.position, c.room_nid, c.user_id, c.membership
   from membership_changes c
   left join memberships m on m.room_nid = c.room_nid and m.user_id = c.user_id
   where c.position > $1 and c.position <= $2
     and ((c.membership = 'join' and c.previous <> 'join' and m.is_local = 1)
       or (c.membership <> 'join' and c.previous = 'join'))
   order by c.position, c.event_nid limit $3`,
);

/** People of this server who have come into a room, and anybody who has gone from one, between two positions. */
export function readComingsAndGoings(reader: Reader, after: number, upTo: number, limit: number): Promise<MoveRow[]> {
  return reader.all(selectMoves, [after, upTo, limit]);
}

export type NewHostRow = { readonly user_id: string; readonly host: string };

const selectNewHosts = sql<NewHostRow, [joins: string, own: string]>(
  'device-lists.new-hosts',
  `select distinct j.value ->> 0 as user_id, h.host
   from json_each(cast($1 as text)) j
   join memberships m on m.room_nid = cast(j.value ->> 1 as bigint) and m.user_id = j.value ->> 0
     and m.membership = 'join'
   join joined_hosts h on h.room_nid = m.room_nid and h.joined > 0 and h.host <> $2
   where not exists (
     select 1 from memberships o
     join joined_hosts oh on oh.room_nid = o.room_nid and oh.host = h.host and oh.joined > 0
       and oh.since_position < cast(j.value ->> 2 as bigint)
     where o.user_id = m.user_id and o.membership = 'join' and o.room_nid <> m.room_nid
       and o.position < cast(j.value ->> 2 as bigint))`,
);

/** Servers that people share a room with since they have joined one. */
export async function readNewHosts(reader: Reader, joins: readonly MoveRow[], own: string): Promise<NewHostRow[]> {
  if (joins.length === 0) return [];
  const packed = joins.map((row) => [row.user_id, row.room_nid, row.position]);
  return reader.all(selectNewHosts, [JSON.stringify(packed), own]);
}

export type AnnouncedRow = {
  readonly user_id: string;
  readonly device_id: string;
  readonly display_name: string | null;
};

const selectAnnounced = sql<AnnouncedRow, [users: string, limit: number]>(
  'device-lists.announced',
  `select d.user_id, d.device_id, d.display_name from json_each(cast($1 as text)) u
   join devices d on d.user_id = u.value order by d.user_id, d.device_id limit $2`,
);

/** Devices of people, with keys and without. */
export function readAnnounced(reader: Reader, users: readonly string[], limit: number): Promise<AnnouncedRow[]> {
  return reader.all(selectAnnounced, [JSON.stringify(users), limit]);
}
