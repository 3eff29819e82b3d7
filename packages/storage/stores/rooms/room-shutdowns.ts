import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type RoomShutdownRow = {
  /** Null while it is under way. */
  readonly ended_at: number | null;
  /** Whether everybody could be taken out. */
  readonly is_complete: number;
};

const selectShutdown = sql<RoomShutdownRow, [roomId: string]>(
  'room-shutdowns.get',
  'select ended_at, is_complete from room_shutdowns where room_id = $1',
);

/** The last one of a room. */
export function findShutdown(reader: Reader, roomId: string): Promise<RoomShutdownRow | undefined> {
  return reader.get(selectShutdown, [roomId]);
}

const upsertShutdown = sql<void, [roomId: string, askedAt: number]>(
  'room-shutdowns.begin',
  `insert into room_shutdowns (room_id, asked_at, ended_at, is_complete) values ($1, $2, null, 0)
   on conflict (room_id) do update set asked_at = excluded.asked_at, ended_at = null, is_complete = 0`,
);

const deleteEnded = sql<void, [before: number]>(
  'room-shutdowns.delete-ended',
  'delete from room_shutdowns where ended_at < $1',
);

/** Takes the place of an earlier one of the same room; and forgets all that ended before a time. */
export function beginShutdown(set: WriteSet, roomId: string, askedAt: number, endedBefore: number): void {
  set.add(deleteEnded, [endedBefore]);
  set.add(upsertShutdown, [roomId, askedAt]);
}

const updateEnd = sql<void, [roomId: string, askedAt: number, endedAt: number, isComplete: number]>(
  'room-shutdowns.end',
  'update room_shutdowns set ended_at = $3, is_complete = $4 where room_id = $1 and asked_at = $2',
);

/** Nothing happens where it was asked for once more meanwhile. */
export function endShutdown(
  set: WriteSet,
  { roomId, askedAt }: { readonly roomId: string; readonly askedAt: number },
  endedAt: number,
  isComplete: boolean,
): void {
  set.add(updateEnd, [roomId, askedAt, endedAt, isComplete ? 1 : 0]);
}
