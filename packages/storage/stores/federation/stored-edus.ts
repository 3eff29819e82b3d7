import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { piece, type QueueBounds, queueBounds } from './queue-bounds.ts';

/** An EDU that has to arrive. */
export type StoredEdu = {
  readonly type: string;
  /** Canonical JSON text: it becomes part of a signed request. */
  readonly content: string;
};

export type StoredEduRow = {
  readonly position: number;
  readonly seq: number;
  readonly edu_type: string;
  readonly content: string;
};

/** An EDU's place in the queue of a server. */
export type EduPlace = { readonly position: number; readonly seq: number };

/** An EDU of somebody of this server, for others. The room for those that wait for a server is shared among senders. */
export type QueuedEdu = StoredEdu & { readonly sender: string; readonly hosts: readonly string[] };

type InsertParams = [places: string, position: PositionParam, unshared: number, most: number];

const ordinalAt = (end: 'asc' | 'desc', otherwise: 0 | 1): string =>
  `coalesce((
     select q.ordinal from stored_edu_hosts q where q.host = h.host
     order by q.position ${end}, q.seq ${end} limit 1), ${otherwise})`;
const ofSender = (end: 'min' | 'max', otherwise: 0 | 1): string =>
  `case when a.waiting >= $3 then coalesce((
     select ${end}(q.sender_ordinal) from stored_edu_hosts q
     where q.host = a.host and q.sender is not null and q.sender = a.sender), ${otherwise}) end`;
const soFar = (of: string): string =>
  `cast(sum(weight) over (partition by ${of} order by seq rows unbounded preceding) as bigint)`;

/*
 * EDUs go from the front of a queue only, so that its first and its last ordinal say how much is in it, though not how large
 * the first one is; so they do for the part of it that is from one person. Of what others add in the same commit an EDU
 * knows nothing.
 */
const insertHosts = sql<void, InsertParams>(
  'stored-edu-hosts.insert',
  `insert into stored_edu_hosts (host, position, seq, ordinal, sender, sender_ordinal)
   with places as materialized (
     select p.value ->> 0 as host, cast(p.value ->> 1 as bigint) as seq, p.value ->> 2 as sender,
       cast(p.value ->> 3 as bigint) as weight
     from json_each(cast($1 as text)) p
   ), ends as materialized (
     select h.host, ${ordinalAt('asc', 1)} as first, ${ordinalAt('desc', 0)} as last
     from (select distinct host from places) h
   ), added as materialized (
     select p.host, p.seq, p.sender, p.weight, p.of_sender, e.last, e.last - e.first + 1 + p.of_sender as waiting
     from (select host, seq, sender, weight, ${soFar('host, sender')} - weight as of_sender from places) p
     join ends e on e.host = p.host
   ), shares as materialized (
     select a.*, ${ofSender('min', 1)} as sender_first, ${ofSender('max', 0)} as sender_last from added a
   )
   select host, position($2), seq, last + ${soFar('host')}, case when waiting >= $3 then sender end,
     sender_last + ${soFar('host, sender')}
   from shares
   where waiting < $3 or waiting + (sender_last - sender_first + 1) + of_sender < $4`,
);

const insertEdus = sql<void, [edus: string, position: PositionParam]>(
  'stored-edus.insert',
  `insert into stored_edus (position, seq, edu_type, content)
   select position($2), cast(e.key as bigint), e.value ->> 0, e.value ->> 1
   from json_each(cast($1 as text)) e
   where exists (
     select 1 from stored_edu_hosts h where h.position = position($2) and h.seq = cast(e.key as bigint))`,
);

const selectQueue = sql<StoredEduRow, [host: string, limit: number]>(
  'stored-edus.queue',
  `select e.position, e.seq, e.edu_type, e.content
   from stored_edu_hosts h join stored_edus e on e.position = h.position and e.seq = h.seq
   where h.host = $1 order by h.position, h.seq limit $2`,
);

const deleteHost = sql<void, [host: string, position: number, seq: number]>(
  'stored-edu-hosts.delete',
  'delete from stored_edu_hosts where host = $1 and (position < $2 or (position = $2 and seq <= $3))',
);

const deleteDelivered = sql<void, [edus: string]>(
  'stored-edus.delete',
  `delete from stored_edus
   where (position, seq) in (
       select cast(value ->> 0 as bigint), cast(value ->> 1 as bigint) from json_each(cast($1 as text)))
     and not exists (
       select 1 from stored_edu_hosts h where h.position = stored_edus.position and h.seq = stored_edus.seq)`,
);

/**
 * Queues somebody's EDUs for other servers, with the commit of what they tell of. Every server gets them in the order of the
 * commits, each until it has acknowledged it. A server that is out of reach has to ask for what there was no room for.
 */
export function queueEdus(
  set: WriteSet,
  sender: string,
  hosts: readonly string[],
  edus: readonly StoredEdu[],
  bounds?: QueueBounds,
): void {
  queueEdusEach(
    set,
    edus.map((edu) => ({ ...edu, sender, hosts })),
    bounds,
  );
}

/** The same with a sender and hosts of its own for each EDU. */
export function queueEdusEach(set: WriteSet, edus: readonly QueuedEdu[], bounds?: QueueBounds): void {
  if (edus.every(({ hosts }) => hosts.length === 0)) return;
  const position = set.takePosition();
  queueHosts(
    set,
    edus.map(({ sender, hosts, content }) => ({ sender, hosts, characters: content.length })),
    position,
    bounds,
  );
  set.add(insertEdus, [JSON.stringify(edus.map(({ type, content }) => [type, content])), position]);
}

/** Says which servers the EDUs of a position are for, and how large they are, before those are added. */
export function queueHosts(
  set: WriteSet,
  edus: readonly (Pick<QueuedEdu, 'sender' | 'hosts'> & { readonly characters: number })[],
  position: PositionParam,
  { unshared, most }: QueueBounds = queueBounds,
): void {
  const places = edus.flatMap(({ sender, hosts, characters }, seq) =>
    hosts.map((host) => [host, seq, sender, 1 + Math.floor(characters / piece)] as const),
  );
  set.add(insertHosts, [JSON.stringify(places), position, unshared, most]);
  for (const host of new Set(places.map(([host]) => host))) set.change('stored_edus', host);
}

/** The first EDUs that wait for a server. */
export function readQueuedEdus(reader: Reader, host: string, limit: number): Promise<StoredEduRow[]> {
  return reader.all(selectQueue, [host, limit]);
}

const selectHosts = sql<{ host: string }, [after: string, limit: number]>(
  'stored-edu-hosts.hosts',
  `select distinct q.host from stored_edu_hosts q
   where q.host > $1
     and not exists (select 1 from federation_destinations d where d.host = q.host and d.retry_at > 0)
   order by q.host limit $2`,
);

/** Servers that EDUs wait for, in the order of their names. Not those that are to be asked again at some time. */
export async function readHostsWithEdus(reader: Reader, after: string, limit: number): Promise<readonly string[]> {
  return (await reader.all(selectHosts, [after, limit])).map(({ host }) => host);
}

/** Drops what a server has got: the first EDUs of its queue. */
export function dropDeliveredEdus(set: WriteSet, host: string, delivered: readonly EduPlace[]): void {
  const last = delivered.at(-1);
  if (last === undefined) return;
  set.add(deleteHost, [host, last.position, last.seq]);
  deleteEdus(set, delivered);
}

/** Deletes those EDUs that wait for no server any more. */
export function deleteEdus(set: WriteSet, places: readonly EduPlace[]): void {
  set.add(deleteDelivered, [JSON.stringify(places.map(({ position, seq }) => [position, seq]))]);
}
