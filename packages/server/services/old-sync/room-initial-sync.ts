import { defaultRoomEventFilter } from '@portico/protocol/sync-filter/filter.ts';
import { listRoomAccountData } from '@portico/storage/stores/accounts/accounts-data.ts';
import { findPublished } from '@portico/storage/stores/directory/room-directory.ts';
import type { HistoryContext, Requester } from '../reading/context.ts';
import { readMessages } from '../reading/messages.ts';
import { readRoomState } from '../reading/room-state.ts';
import { endOfPosition, formatPlace } from '../reading/tokens.ts';
import type { ClientEvent, PaginationChunk, RoomInfo } from './answers.ts';

const defaultLimit = 10;
const maxLimit = 100;

/**
 * A room as its members see it, or as it was when they left; or as anyone may look into it.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidinitialsync}
 */
export async function readRoomInitialSync(
  context: HistoryContext,
  requester: Requester,
  roomId: string,
  limit = defaultLimit,
): Promise<RoomInfo> {
  const access = await context.access.enter(requester.userId, roomId);
  const [messages, state, accountData, published] = await Promise.all([
    limit === 0
      ? { end: formatPlace(Math.min(access.end, endOfPosition(context.db.currentPosition()))), chunk: [] }
      : lastMessages(context, requester, roomId, Math.min(limit, maxLimit)),
    readRoomState(context, requester, roomId),
    listRoomAccountData(context.db, requester.userId, roomId),
    findPublished(context.db, [access.roomNid]),
  ]);
  return {
    room_id: roomId,
    ...(access.as !== 'peek' && { membership: access.as === 'joined' ? ('join' as const) : ('leave' as const) }),
    messages,
    state: JSON.parse(state) as ClientEvent[],
    visibility: published.has(access.roomNid) ? 'public' : 'private',
    account_data: accountData.map(({ type, content }) => ({ type, content: JSON.parse(content) as object })),
  };
}

async function lastMessages(
  context: HistoryContext,
  requester: Requester,
  roomId: string,
  limit: number,
): Promise<PaginationChunk> {
  const request = { roomId, direction: 'backwards', from: undefined, to: undefined, limit } as const;
  const page = await readMessages(context, requester, { ...request, filter: defaultRoomEventFilter });
  const { start: end, end: start, chunk } = JSON.parse(page) as Required<PaginationChunk>;
  return { ...(start !== undefined && { start }), end, chunk: chunk.toReversed() };
}
