import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { AccountDataRow } from './accounts-data.ts';

const selectOfTypes = sql<AccountDataRow, [userId: string, types: string]>(
  'account-data.of-types',
  `select room_id, type, content, stream_position from account_data
   where user_id = $1 and room_id = '' and type in (select value from json_each(cast($2 as text)))`,
);

/** Somebody's account data of some types that belongs to no room, as it was at one moment. */
export function readAccountDataOfTypes(
  reader: Reader,
  userId: string,
  types: readonly string[],
): Promise<AccountDataRow[]> {
  return reader.all(selectOfTypes, [userId, JSON.stringify(types)]);
}
