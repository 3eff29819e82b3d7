import { passesEventFilter, passesRooms } from '@portico/protocol/sync-filter/event-filter.ts';
import {
  isDeleted,
  listAccountDataSince,
  type AccountDataRow,
} from '@portico/storage/stores/accounts/accounts-data.ts';
import type { SyncContext, SyncPass } from './pass.ts';

type Filter = SyncPass['filter'];

const maxRows = 10_000;

/** Whether a filter lets through what somebody keeps for a room. */
export function passesRoom({ room: { accountData } }: Filter, { room_id: roomId, type }: AccountDataRow): boolean {
  return passesRooms(accountData, roomId) && passesEventFilter(accountData, { type, sender: undefined });
}

/** As JSON text. */
export function render({ type, content }: Pick<AccountDataRow, 'type' | 'content'>): string {
  return `{"content":${content},"type":${JSON.stringify(type)}}`;
}

/** What somebody keeps for rooms that they have left, by the rooms' IDs, as JSON texts: as far as it is new to the client. */
export async function readForLeftRooms(
  { db }: Pick<SyncContext, 'db'>,
  roomIds: ReadonlySet<string>,
  { userId, since, upTo, filter }: Pick<SyncPass, 'userId' | 'since' | 'upTo' | 'filter'>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  if (roomIds.size === 0) return found;
  for (const row of await listAccountDataSince(db, userId, { after: since ?? -1, upTo, limit: maxRows })) {
    if (!roomIds.has(row.room_id) || (since === undefined && isDeleted(row)) || !passesRoom(filter, row)) continue;
    const ofRoom = found.get(row.room_id);
    if (ofRoom === undefined) found.set(row.room_id, [render(row)]);
    else ofRoom.push(render(row));
  }
  return found;
}
