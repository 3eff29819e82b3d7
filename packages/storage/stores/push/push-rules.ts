import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { findAccountData, replaceAccountData } from '../accounts/accounts-data.ts';

/** Somebody's push rules are the content of their `m.push_rules` account data, so that they sync like any other. */
export const pushRulesType = 'm.push_rules';

const insertRules = sql<void, [userId: string, type: string, content: string, position: PositionParam]>(
  'push-rules.add',
  `insert into account_data (user_id, room_id, type, content, stream_position)
   values ($1, '', $2, $3, position($4))
   on conflict do nothing`,
);

const selectJoinedRooms = sql<{ room_nid: number; room_id: string }, [userId: string]>(
  'push-rules.joined-rooms',
  `select m.room_nid, r.room_id from memberships m join rooms r on r.room_nid = m.room_nid
   where m.user_id = $1 and m.membership = 'join'`,
);

/** The rules as JSON text and when they were set; `undefined` for somebody who never changed any. */
export async function findPushRules(
  reader: Reader,
  userId: string,
): Promise<{ readonly content: string; readonly position: number } | undefined> {
  const row = await findAccountData(reader, userId, '', pushRulesType);
  return row && { content: row.content, position: row.stream_position };
}

/**
 * Replaces the rules that were read at `before`, or were not there then. Fails on the guard `account-data.changed` if
 * they are others by now.
 */
export function replacePushRules(set: WriteSet, userId: string, content: string, before: number | undefined): void {
  if (before === undefined) {
    set.guard('account-data.changed', 1, insertRules, [userId, pushRulesType, content, set.takePosition()]);
    set.change('account_data', userId);
  } else {
    replaceAccountData(set, { userId, roomId: '', type: pushRulesType, content }, before);
  }
}

export function readJoinedRooms(reader: Reader, userId: string): Promise<{ room_nid: number; room_id: string }[]> {
  return reader.all(selectJoinedRooms, [userId]);
}
