import type { PositionParam, Reader, WriteSet } from '../database.ts';
import { sql } from '../sql.ts';

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

/** A server that is out of reach has no more EDUs waiting than that: it has to ask for what it has missed. */
export const maxQueuedEdus = 10_000;

const insertHosts = sql<void, [places: string, position: PositionParam, maxQueued: number]>(
  'stored-edu-hosts.insert',
  `insert into stored_edu_hosts (host, position, seq)
   select p.value ->> 0, position($2), cast(p.value ->> 1 as bigint) from json_each(cast($1 as text)) p
   where (
     select count(*) from (select 1 from stored_edu_hosts q where q.host = p.value ->> 0 limit $3) waiting
   ) < $3`,
);

const insertEdus = sql<void, [edus: string, position: PositionParam]>(
  'stored-edus.insert',
  `insert into stored_edus (position, seq, edu_type, content)
   select h.position, h.seq, e.value ->> 0, e.value ->> 1
   from json_each(cast($1 as text)) e
   join (select distinct position, seq from stored_edu_hosts where position = position($2)) h
     on h.seq = cast(e.key as bigint)`,
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
 * Queues EDUs for other servers, with the commit of what they tell of. Every server gets them in the order of the commits,
 * each until it has acknowledged it.
 */
export function queueEdus(set: WriteSet, hosts: readonly string[], edus: readonly StoredEdu[]): void {
  queueEdusEach(
    set,
    edus.map((edu) => ({ ...edu, hosts })),
  );
}

/** The same with hosts of its own for each EDU. */
export function queueEdusEach(
  set: WriteSet,
  edus: readonly (StoredEdu & { readonly hosts: readonly string[] })[],
): void {
  if (edus.every(({ hosts }) => hosts.length === 0)) return;
  const position = set.takePosition();
  queueHosts(
    set,
    edus.map(({ hosts }) => hosts),
    position,
  );
  set.add(insertEdus, [JSON.stringify(edus.map(({ type, content }) => [type, content])), position]);
}

/** Says which servers the EDUs of a position are for, before those are added. */
export function queueHosts(set: WriteSet, hosts: readonly (readonly string[])[], position: PositionParam): void {
  const places = hosts.flatMap((each, seq) => each.map((host) => [host, seq] as const));
  set.add(insertHosts, [JSON.stringify(places), position, maxQueuedEdus]);
  for (const host of new Set(places.map(([host]) => host))) set.change('stored_edus', host);
}

/** The first EDUs that wait for a server. */
export function readQueuedEdus(reader: Reader, host: string, limit: number): Promise<StoredEduRow[]> {
  return reader.all(selectQueue, [host, limit]);
}

/** Drops what a server has got: the first EDUs of its queue. */
export function dropDeliveredEdus(set: WriteSet, host: string, delivered: readonly EduPlace[]): void {
  const last = delivered.at(-1);
  if (last === undefined) return;
  set.add(deleteHost, [host, last.position, last.seq]);
  set.add(deleteDelivered, [JSON.stringify(delivered.map(({ position, seq }) => [position, seq]))]);
}
