import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** One event of account data. `content` is its JSON text. */
export type AccountDataRow = {
  /** '' for what belongs to no room. */
  readonly room_id: string;
  readonly type: string;
  readonly content: string;
  readonly stream_position: number;
};

const selectOne = sql<AccountDataRow, [userId: string, roomId: string, type: string]>(
  'account-data.get',
  `select room_id, type, content, stream_position from account_data
   where user_id = $1 and room_id = $2 and type = $3`,
);

export function findAccountData(
  reader: Reader,
  userId: string,
  roomId: string,
  type: string,
): Promise<AccountDataRow | undefined> {
  return reader.get(selectOne, [userId, roomId, type]);
}

const selectOfType = sql<Pick<AccountDataRow, 'room_id' | 'content'>, [userId: string, type: string]>(
  'account-data.of-type',
  'select room_id, content from account_data where user_id = $1 and type = $2',
);

/** The data of one type, of all rooms. */
export function readAccountDataOfType(
  reader: Reader,
  userId: string,
  type: string,
): Promise<Pick<AccountDataRow, 'room_id' | 'content'>[]> {
  return reader.all(selectOfType, [userId, type]);
}

const selectSince = sql<AccountDataRow, [userId: string, after: number, upTo: number, limit: number]>(
  'account-data.since',
  `select room_id, type, content, stream_position from account_data
   where user_id = $1 and stream_position > $2 and stream_position <= $3
   order by stream_position limit $4`,
);

/** What changed after one position up to another, in order. With `after` 0: everything. */
export function listAccountDataSince(
  reader: Reader,
  userId: string,
  range: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<AccountDataRow[]> {
  return reader.all(selectSince, [userId, range.after, range.upTo, range.limit]);
}

const selectOfRoom = sql<Pick<AccountDataRow, 'type' | 'content'>, [userId: string, roomId: string]>(
  'account-data.of-room',
  'select type, content from account_data where user_id = $1 and room_id = $2 order by type limit 5000',
);

/** What somebody keeps for one room, without what they have deleted. */
export async function listRoomAccountData(
  reader: Reader,
  userId: string,
  roomId: string,
): Promise<readonly Pick<AccountDataRow, 'type' | 'content'>[]> {
  return (await reader.all(selectOfRoom, [userId, roomId])).filter((row) => !isDeleted(row));
}

/**
 * What is deleted stays as an empty object, so that clients that were told of it learn that it is gone.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3391}
 */
export function isDeleted({ content }: Pick<AccountDataRow, 'content'>): boolean {
  return content === '{}';
}

const countUpTo = sql<{ count: number }, [userId: string, limit: number]>(
  'account-data.count',
  'select count(*) as count from (select 1 as one from account_data where user_id = $1 limit $2) as counted',
);

/** How many events of account data a user has; counts no further than `limit`. */
export async function countAccountData(reader: Reader, userId: string, limit: number): Promise<number> {
  return (await reader.get(countUpTo, [userId, limit]))?.count ?? 0;
}

const sumLengths = sql<{ length: number }, [userId: string]>(
  'account-data.length',
  'select cast(coalesce(sum(length(content)), 0) as bigint) as length from account_data where user_id = $1',
);

/** How long all account data of a user is, in characters. */
export async function readAccountDataLength(reader: Reader, userId: string): Promise<number> {
  return (await reader.get(sumLengths, [userId]))?.length ?? 0;
}

type Content = { readonly userId: string; readonly roomId: string; readonly type: string; readonly content: string };

const upsert = sql<void, [userId: string, roomId: string, type: string, content: string, position: PositionParam]>(
  'account-data.set',
  `insert into account_data (user_id, room_id, type, content, stream_position)
   values ($1, $2, $3, $4, position($5))
   on conflict (user_id, room_id, type)
   do update set content = excluded.content, stream_position = excluded.stream_position`,
);

/** Whatever was there before. */
export function setAccountData(set: WriteSet, data: Content): void {
  set.add(upsert, [data.userId, data.roomId, data.type, data.content, set.takePosition()]);
  set.change('account_data', data.userId);
}

const replace = sql<
  void,
  [userId: string, roomId: string, type: string, content: string, position: PositionParam, before: number]
>(
  'account-data.replace',
  `update account_data set content = $4, stream_position = position($5)
   where user_id = $1 and room_id = $2 and type = $3 and stream_position = $6`,
);

/** For whoever edits what was read at `before`. Fails on the guard `account-data.changed` if it is no longer that. */
export function replaceAccountData(set: WriteSet, data: Content, before: number): void {
  const { userId, roomId, type, content } = data;
  set.guard('account-data.changed', 1, replace, [userId, roomId, type, content, set.takePosition(), before]);
  set.change('account_data', userId);
}
