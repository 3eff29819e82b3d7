import type { Reader } from '@portico/storage';
import type { Range } from '@portico/storage/stores/app-services/app-service-log.ts';
import {
  readReceiptsOf,
  readRoomIds,
  readRoomsWithReceipts,
} from '@portico/storage/stores/app-services/app-service-extras.ts';
import { countAppServiceMembers } from '@portico/storage/stores/app-services/app-service-members.ts';
import { receiptContent } from '../../receipts/receipt-content.ts';
import type { AppService } from '../app-service.ts';
import type { Taken } from './passing.ts';

/** What is typed where. */
export type TypingNow = { typingIn(roomNid: number): readonly string[] };

/** Presence that a service may be told, as whole `m.presence` events in JSON. */
export type PresenceFor = (service: AppService, userIds: readonly string[]) => Promise<readonly string[]>;

type Context = { readonly db: Reader; readonly service: AppService };

/** Those of some rooms that interest a service, with their IDs. */
async function interestingRooms(
  { db, service }: Context,
  roomNids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  if (roomNids.length === 0) return new Map();
  const [counts, names] = await Promise.all([
    countAppServiceMembers(db, service.id, roomNids),
    readRoomIds(db, roomNids),
  ]);
  return new Map([...names].filter(([nid, roomId]) => counts.has(nid) || service.matchesRoom(roomId)));
}

/**
 * Receipts that were set in a stretch of the log, a room each.
 *
 * > Private read receipts MUST only be sent for users matching one of the application service's namespaces.
 *
 * {@link https://spec.matrix.org/v1.19/application-service-api/#pushing-ephemeral-data}
 */
export async function receiptTexts(context: Context, range: Range, changed: Taken['receipts']): Promise<string[]> {
  const { db, service } = context;
  const roomNids = changed === 'any' ? await readRoomsWithReceipts(db, service.id, range) : changed;
  const rooms = await interestingRooms(context, roomNids);
  const rows = await readReceiptsOf(db, [...rooms.keys()], range);
  return [...Map.groupBy(rows, (row) => row.room_nid)].flatMap(([nid, ofRoom]) => {
    const content = receiptContent(ofRoom, service.matchesUser);
    return content === undefined ? [] : [inRoom('m.receipt', rooms.get(nid), content)];
  });
}

export async function typingTexts(context: Context, typing: TypingNow, changed: Taken['typing']): Promise<string[]> {
  const rooms = await interestingRooms(context, changed);
  return [...rooms].map(([nid, roomId]) =>
    inRoom('m.typing', roomId, JSON.stringify({ user_ids: typing.typingIn(nid) })),
  );
}

function inRoom(type: string, roomId: string | undefined, content: string): string {
  return `{"content":${content},"room_id":${JSON.stringify(roomId)},"type":"${type}"}`;
}
