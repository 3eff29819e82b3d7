import type { PositionParam, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const insert = sql<void, [userId: string, roomId: string, type: string, content: string, position: PositionParam]>(
  'account-data.insert',
  `insert into account_data (user_id, room_id, type, content, stream_position)
   values ($1, $2, $3, $4, position($5)) on conflict do nothing`,
);

/** For whoever found none there. Fails on the guard `account-data.changed` if there is some by now. */
export function insertAccountData(
  set: WriteSet,
  data: { readonly userId: string; readonly roomId: string; readonly type: string; readonly content: string },
): void {
  set.guard('account-data.changed', 1, insert, [data.userId, data.roomId, data.type, data.content, set.takePosition()]);
  set.change('account_data', data.userId);
}
