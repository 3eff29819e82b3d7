import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const selectRoom = sql<{ room_id: string }, [userId: string]>(
  'server-notice-rooms.get',
  'select room_id from server_notice_rooms where user_id = $1',
);
const upsertRoom = sql<void, [userId: string, roomId: string]>(
  'server-notice-rooms.set',
  `insert into server_notice_rooms (user_id, room_id) values ($1, $2)
   on conflict (user_id) do update set room_id = excluded.room_id`,
);
const deleteRoom = sql<void, [userId: string]>(
  'server-notice-rooms.delete',
  'delete from server_notice_rooms where user_id = $1',
);

export async function findNoticeRoom(reader: Reader, userId: string): Promise<string | undefined> {
  return (await reader.get(selectRoom, [userId]))?.room_id;
}

export function setNoticeRoom(set: WriteSet, userId: string, roomId: string): void {
  set.add(upsertRoom, [userId, roomId]);
}

export function removeNoticeRoom(set: WriteSet, userId: string): void {
  set.add(deleteRoom, [userId]);
}
