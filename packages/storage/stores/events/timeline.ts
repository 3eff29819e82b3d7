import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';
import { packPairs } from './packed-pairs.ts';

/** As much of an event as a client is shown, with the predecessor that a state event replaced. */
export type ClientEventRow = {
  readonly event_nid: number;
  readonly event_id: string;
  readonly room_nid: number;
  /** Null on events that are not part of the timeline. */
  readonly room_order: number | null;
  readonly type: string;
  readonly state_key: string | null;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly content: string;
  /** Only on redactions: where room versions before 11 keep what is redacted. */
  readonly redaction_fields: string | null;
  /** Only on redactions: it says where the room keeps that. */
  readonly redaction_version: string | null;
  readonly state_before: number | null;
  readonly state_after: number | null;
  readonly head_state: number | null;
  readonly replaces_nid: number | null;
  readonly redacted_by: number | null;
  /** Which kinds of relations other events have to it that are shown with it: see `relationKinds`. */
  readonly relation_kinds: number | null;
  /** Events right before it that are not in the timeline here, as a JSON list: a gap that other servers may fill. */
  readonly missing_before: string | null;
  readonly sender_device: string | null;
  readonly txn_id: string | null;
  /** For how many milliseconds it is sticky, and until when; null if it is not. */
  readonly sticky_ms: number | null;
  readonly sticky_until: number | null;
  readonly prev_event_id: string | null;
  readonly prev_sender: string | null;
  readonly prev_content: string | null;
};

const columns = `e.event_nid, e.event_id, e.room_nid, e.room_order, e.type, e.state_key, e.sender,
  e.origin_server_ts, e.content, case when e.type = 'm.room.redaction' then e.after_content end as redaction_fields,
  case when e.type = 'm.room.redaction' then (select v.room_version from rooms v where v.room_nid = e.room_nid) end
    as redaction_version,
  e.state_before, e.state_after, e.head_state, e.replaces_nid, e.redacted_by, e.relation_kinds, e.missing_before, e.sender_device, e.txn_id,
  e.sticky_ms, e.sticky_until,
  p.event_id as prev_event_id, p.sender as prev_sender, p.content as prev_content`;
const withPrevious = 'left join events p on p.event_nid = e.replaces_nid';

type RangeParams = [roomNid: number, afterOrder: number, upToOrder: number, limit: number];

const selectNewest = sql<ClientEventRow, RangeParams>(
  'timeline.newest',
  `select ${columns} from events e ${withPrevious}
   where e.room_nid = $1 and e.room_order > $2 and e.room_order <= $3 order by e.room_order desc limit $4`,
);

const selectOldest = sql<ClientEventRow, RangeParams>(
  'timeline.oldest',
  `select ${columns} from events e ${withPrevious}
   where e.room_nid = $1 and e.room_order > $2 and e.room_order <= $3 order by e.room_order limit $4`,
);

const selectNewestOfMany = sql<ClientEventRow, [ranges: string, limit: number]>(
  'timeline.newest-of-many',
  `with bounds as materialized (
     select cast(substr(value, 1, 16) as bigint) as room_nid, cast(substr(value, 17, 16) as bigint) as after_order,
       cast(substr(value, 33) as bigint) as up_to_order
     from json_each(cast($1 as text))
   ), firsts as materialized (
     select b.room_nid, b.up_to_order, (
       select min(t.room_order) from (
         select room_order from events
         where room_nid = b.room_nid and room_order > b.after_order and room_order <= b.up_to_order
         order by room_order desc limit $2
       ) t
     ) as first_order
     from bounds b
   )
   select ${columns}
   from firsts f
   join events e on e.room_nid = f.room_nid and e.room_order >= f.first_order and e.room_order <= f.up_to_order
   ${withPrevious}
   order by e.room_nid, e.room_order desc`,
);

const selectByNids = sql<ClientEventRow, [nids: string]>(
  'timeline.by-nids',
  `select ${columns} from events e ${withPrevious}
   where e.event_nid in (select cast(value as bigint) from json_each(cast($1 as text)))`,
);

const selectById = sql<ClientEventRow, [eventId: string, roomNid: number]>(
  'timeline.by-id',
  `select ${columns} from events e ${withPrevious} where e.event_id = $1 and e.room_nid = $2`,
);

/* An event's own state is another one than the room's where branches that it does not follow were not merged yet. */
const selectRootAt = sql<{ root: number }, [roomNid: number, upToOrder: number]>(
  'timeline.root-at',
  `select coalesce(head_state, state_after, state_before) as root from events
   where room_nid = $1 and room_order <= $2 order by room_order desc limit 1`,
);

const selectFirstRoot = sql<{ root: number }, [roomNid: number]>(
  'timeline.first-root',
  `select coalesce(head_state, state_after, state_before) as root from events
   where room_nid = $1 and room_order > -1 and type = 'm.room.member' order by room_order limit 1`,
);

const selectRootsAt = sql<{ room_nid: number; root: number }, [places: string]>(
  'timeline.roots-at',
  `with places as materialized (
     select cast(substr(value, 1, 16) as bigint) as room_nid, cast(substr(value, 17) as bigint) as up_to_order
     from json_each(cast($1 as text))
   ), last_orders as materialized (
     select p.room_nid, (
       select e.room_order from events e
       where e.room_nid = p.room_nid and e.room_order <= p.up_to_order order by e.room_order desc limit 1
     ) as room_order
     from places p
   )
   select e.room_nid, coalesce(e.head_state, e.state_after, e.state_before) as root
   from last_orders l join events e on e.room_nid = l.room_nid and e.room_order = l.room_order`,
);

const selectPieces = sql<{ event_nid: number; pdu: string }, [nids: string]>(
  'timeline.pdus',
  `select event_nid, before_content || content || after_content as pdu from events
   where event_nid in (select cast(value as bigint) from json_each(cast($1 as text)))`,
);

/** A stretch of a room's timeline: after one place in its order, up to and including another. */
export type TimelineRange = { readonly roomNid: number; readonly after: number; readonly upTo: number };

/** The last events of a stretch, newest first. */
export function readNewest(reader: Reader, range: TimelineRange, limit: number): Promise<ClientEventRow[]> {
  return reader.all(selectNewest, [range.roomNid, range.after, range.upTo, limit]);
}

/** The first events of a stretch, oldest first. */
export function readOldest(reader: Reader, range: TimelineRange, limit: number): Promise<ClientEventRow[]> {
  return reader.all(selectOldest, [range.roomNid, range.after, range.upTo, limit]);
}

/** The last events of each stretch, newest first; room after room. */
export function readNewestOfMany(
  reader: Reader,
  ranges: readonly TimelineRange[],
  limit: number,
): Promise<ClientEventRow[]> {
  return reader.all(selectNewestOfMany, [packRanges(ranges), limit]);
}

/** In no particular order. */
export async function readEvents(reader: Reader, nids: readonly number[]): Promise<ClientEventRow[]> {
  return nids.length === 0 ? [] : reader.all(selectByNids, [JSON.stringify(nids)]);
}

export function findEvent(reader: Reader, roomNid: number, eventId: string): Promise<ClientEventRow | undefined> {
  return reader.get(selectById, [eventId, roomNid]);
}

/** The root of the room's own state after the last event up to a place in its order; `undefined` before the first one. */
export async function findStateRootAt(reader: Reader, roomNid: number, upTo: number): Promise<number | undefined> {
  return (await reader.get(selectRootAt, [roomNid, upTo]))?.root;
}

/** The root of the room's state once it has members. */
export async function findFirstStateRoot(reader: Reader, roomNid: number): Promise<number | undefined> {
  return (await reader.get(selectFirstRoot, [roomNid]))?.root;
}

/** The same for many rooms, each with a place of its own; rooms that had no events by then are left out. */
export async function readStateRootsAt(
  reader: Reader,
  places: readonly (readonly [roomNid: number, upTo: number])[],
): Promise<ReadonlyMap<number, number>> {
  if (places.length === 0) return new Map();
  const rows = await reader.all(selectRootsAt, [packPairs(places.map(([nid, upTo]) => [nid, String(upTo)]))]);
  return new Map(rows.map((row) => [row.room_nid, row.root]));
}

/** Events as they travel between servers, by number. */
export async function readPdus(reader: Reader, nids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  if (nids.length === 0) return new Map();
  const rows = await reader.all(selectPieces, [JSON.stringify(nids)]);
  return new Map(rows.map((row) => [row.event_nid, row.pdu]));
}

function packRanges(ranges: readonly TimelineRange[]): string {
  return packPairs(ranges.map(({ roomNid, after, upTo }) => [roomNid, `${pad(after)}${upTo}`]));
}

function pad(order: number): string {
  return String(Math.max(order, 0)).padStart(16, '0');
}
