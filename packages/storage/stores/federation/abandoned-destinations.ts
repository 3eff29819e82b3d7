import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { deleteEdus, type EduPlace, type StoredEduRow } from './stored-edus.ts';

/** A server that has not answered for long. */
export type AbandonedRow = {
  readonly host: string;
  readonly failing_since: number;
  /** 0 where it has never shared a room with this one. */
  readonly has_shared_room: number;
};

const selectAbandoned = sql<AbandonedRow, [process: string, since: number, after: string, limit: number]>(
  'abandoned-destinations.page',
  `select d.host, d.failing_since,
     case when exists (select 1 from joined_hosts h where h.host = d.host) then 1 else 0 end as has_shared_room
   from federation_destinations d
   where d.host > $3 and d.failing_since > 0 and d.failing_since <= $2 and (d.claimed_by is null or d.claimed_by = $1)
   order by d.host limit $4`,
);

/** Servers of a process, or of nobody, that have not answered since some time, in the order of their names. */
export function readAbandoned(
  reader: Reader,
  process: string,
  since: number,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<AbandonedRow[]> {
  return reader.all(selectAbandoned, [process, since, after, limit]);
}

const selectEdus = sql<StoredEduRow, [host: string, position: number, seq: number, limit: number]>(
  'abandoned-destinations.edus',
  `select e.position, e.seq, e.edu_type, e.content
   from stored_edu_hosts h join stored_edus e on e.position = h.position and e.seq = h.seq
   where h.host = $1 and (h.position, h.seq) > ($2, $3) order by h.position, h.seq limit $4`,
);

/** What waits for a server behind a place in its queue. */
export function readEdusBehind(
  reader: Reader,
  host: string,
  { position, seq }: EduPlace,
  limit: number,
): Promise<StoredEduRow[]> {
  return reader.all(selectEdus, [host, position, seq, limit]);
}

const deletePlaces = sql<void, [host: string, places: string]>(
  'abandoned-destinations.delete-places',
  `delete from stored_edu_hosts
   where host = $1 and (position, seq) in (
     select cast(value ->> 0 as bigint), cast(value ->> 1 as bigint) from json_each(cast($2 as text)))`,
);

/* The first and the last ordinal say how much waits; who sent what is left no longer counts. */
const closeGaps = sql<void, [host: string]>(
  'abandoned-destinations.close-gaps',
  `update stored_edu_hosts set sender = null, sender_ordinal = null, ordinal = (
     select count(*) from stored_edu_hosts q
     where q.host = stored_edu_hosts.host and (q.position, q.seq) <= (stored_edu_hosts.position, stored_edu_hosts.seq))
   where host = $1`,
);

/** Drops what waits for a server at these places, which may be anywhere in its queue. */
export function dropEdusAt(set: WriteSet, host: string, places: readonly EduPlace[]): void {
  const packed = JSON.stringify(places.map(({ position, seq }) => [position, seq]));
  set.add(deletePlaces, [host, packed]);
  deleteEdus(set, places);
}

/** Makes room for as much as was dropped. */
export function closeGapsOf(set: WriteSet, host: string): void {
  set.add(closeGaps, [host]);
}

const deleteRow = sql<void, [host: string, process: string, since: number]>(
  'abandoned-destinations.delete',
  `delete from federation_destinations
   where host = $1 and failing_since > 0 and failing_since <= $3 and (claimed_by is null or claimed_by = $2)
     and not exists (select 1 from joined_hosts h where h.host = $1)
     and not exists (select 1 from stored_edu_hosts q where q.host = $1)`,
);

const deleteEndedRequests = sql<void, [host: string]>(
  'abandoned-destinations.delete-ended-requests',
  'delete from ended_requests where host = $1',
);

/**
 * Forgets a server that has not answered since some time, and has never shared a room with this one. Fails on the guard
 * `federation.abandoned` if it has, if something waits for it, or if another process sends to it.
 */
export function forgetDestination(set: WriteSet, host: string, process: string, since: number): void {
  set.guard('federation.abandoned', 1, deleteRow, [host, process, since]);
  set.add(deleteEndedRequests, [host]);
  set.change('destination_forgotten', host);
}
