import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** A process of this server. */
export type ProcessRow = {
  readonly process: string;
  readonly alive_until: number;
  /** Up to here the servers that it sends to lack nothing, unless they fail. */
  readonly federation_position: number;
};

const selectProcesses = sql<ProcessRow>(
  'processes.all',
  'select process, alive_until, federation_position from processes',
);

const upsert = sql<void, [process: string, aliveUntil: number, federationPosition: number]>(
  'processes.set',
  `insert into processes (process, alive_until, federation_position) values ($1, $2, $3)
   on conflict (process) do update set alive_until = excluded.alive_until,
     federation_position = excluded.federation_position`,
);

const remove = sql<void, [process: string, aliveUntil: number]>(
  'processes.delete',
  'delete from processes where process = $1 and alive_until = $2',
);

const releaseDestinations = sql<void, [process: string, position: number]>(
  'federation-destinations.release',
  `update federation_destinations set claimed_by = null,
     position = case when failures = 0 and attempt is null and position < $2 then $2 else position end,
     receipt_position =
       case when failures = 0 and attempt is null and receipt_position < $2 then $2 else receipt_position end
   where claimed_by = $1`,
);

export function readProcesses(reader: Reader): Promise<ProcessRow[]> {
  return reader.all(selectProcesses, []);
}

export function setProcess(set: WriteSet, row: ProcessRow): void {
  set.add(upsert, [row.process, row.alive_until, row.federation_position]);
}

/**
 * Lets go of what a process had claimed that is no longer alive. Fails on the guard `process.gone` if another process has
 * done so, or it is alive after all.
 */
export function buryProcess(set: WriteSet, row: ProcessRow): void {
  set.guard('process.gone', 1, remove, [row.process, row.alive_until]);
  set.add(releaseDestinations, [row.process, row.federation_position]);
}
