import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const selectFilter = sql<{ definition: string }, [userId: string, filterId: number]>(
  'filters.get',
  'select definition from filters where user_id = $1 and filter_id = $2',
);

/** The JSON text of a filter. */
export async function findFilter(reader: Reader, userId: string, filterId: number): Promise<string | undefined> {
  return (await reader.get(selectFilter, [userId, filterId]))?.definition;
}

const selectByHash = sql<{ filter_id: number }, [userId: string, definitionHash: string]>(
  'filters.by-definition',
  'select filter_id from filters where user_id = $1 and definition_hash = $2',
);

export async function findFilterId(
  reader: Reader,
  userId: string,
  definitionHash: string,
): Promise<number | undefined> {
  return (await reader.get(selectByHash, [userId, definitionHash]))?.filter_id;
}

/* The same filter again keeps its ID: clients make theirs anew at every start. */
const insertFilter = sql<{ filter_id: number }, [userId: string, definitionHash: string, definition: string]>(
  'filters.insert',
  `insert into filters (user_id, filter_id, definition_hash, definition)
   values ($1, (select coalesce(max(filter_id), 0) + 1 from filters where user_id = $1), $2, $3)
   on conflict (user_id, definition_hash) do update set definition = excluded.definition
   returning filter_id`,
);
const deleteOldest = sql<void, [userId: string, kept: number]>(
  'filters.delete-oldest',
  `delete from filters where user_id = $1
     and filter_id <= (select coalesce(max(filter_id), 0) from filters where user_id = $1) - $2`,
);

/** The set's next `returned` row is the filter's ID. Of more than `kept` filters the oldest goes. */
export function addFilter(
  set: WriteSet,
  userId: string,
  filter: { readonly definitionHash: string; readonly definition: string },
  kept: number,
): void {
  set.returning(insertFilter, [userId, filter.definitionHash, filter.definition]);
  set.add(deleteOldest, [userId, kept]);
}
