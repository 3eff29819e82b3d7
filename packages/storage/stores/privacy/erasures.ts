import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type ErasureRow = {
  readonly requested_at: number;
  /** Null while it is under way. */
  readonly finished_at: number | null;
  /** How much was erased so far of what: a JSON object. */
  readonly report: string;
};

const selectRequest = sql<{ requested_at: number }, [userId: string]>(
  'erasures.request',
  `select erase_requested_at as requested_at from accounts
   where user_id = $1 and erase_requested_at is not null`,
);

/** When somebody asked that everything of theirs be erased. */
export async function findErasureRequest(reader: Reader, userId: string): Promise<number | undefined> {
  return (await reader.get(selectRequest, [userId]))?.requested_at;
}

const selectErasure = sql<ErasureRow, [userId: string]>(
  'erasures.get',
  `select a.erase_requested_at as requested_at, e.finished_at, coalesce(e.report, '{}') as report
   from accounts a left join erasures e on e.user_id = a.user_id
   where a.user_id = $1 and a.erase_requested_at is not null`,
);

export function findErasure(reader: Reader, userId: string): Promise<ErasureRow | undefined> {
  return reader.get(selectErasure, [userId]);
}

const upsertReport = sql<void, [userId: string, finishedAt: number | null, report: string]>(
  'erasures.report',
  `insert into erasures (user_id, finished_at, report) values ($1, $2, $3)
   on conflict (user_id) do update set finished_at = excluded.finished_at, report = excluded.report`,
);

/** Says how far an erasure is. */
export function reportErasure(set: WriteSet, userId: string, finishedAt: number | undefined, report: string): void {
  set.add(upsertReport, [userId, finishedAt ?? null, report]);
}

const selectErased = sql<{ user_id: string }, [userIds: string]>(
  'erasures.which',
  `select user_id from accounts
   where user_id in (select value from json_each(cast($1 as text))) and erase_requested_at is not null`,
);

/** Which of these people had everything erased. */
export async function findErased(reader: Reader, userIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await reader.all(selectErased, [JSON.stringify(userIds)]);
  return new Set(rows.map((row) => row.user_id));
}
