import type { Sync } from '../sync/sync.ts';
import { formatSyncToken } from '../sync/token.ts';
import type { PaginationChunk } from './answers.ts';
import { eventsOf, inRoom, ownMembership, type SyncAnswer } from './sync-answer.ts';

export type ListenRequest = {
  readonly userId: string;
  readonly deviceId: string;
  readonly from: string | undefined;
  readonly timeout: number;
  readonly signal: AbortSignal;
};

/** What happens in a room is to come whole: such an answer cannot say that it left something out. */
const filter = JSON.stringify({ room: { timeline: { limit: 500 } } });

/**
 * Everything that happens to somebody, in one list. It is what `/sync` says, put in the form that came before it.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3events}
 */
export async function listenEvents(
  { sync, currentPosition }: { readonly sync: Sync; readonly currentPosition: () => number },
  { from, ...request }: ListenRequest,
): Promise<PaginationChunk> {
  const start = from ?? formatSyncToken(currentPosition());
  const text = await sync.sync({ ...request, since: start, filter, fullState: false, stateField: 'state' });
  const { next_batch: end, presence, account_data: accountData, rooms = {} } = JSON.parse(text) as SyncAnswer;
  const ofRooms = Object.entries({ ...rooms.join, ...rooms.leave }).flatMap(([roomId, room]) => [
    ...inRoom(roomId, room.timeline),
    ...inRoom(roomId, room.ephemeral),
    ...inRoom(roomId, room.account_data),
  ]);
  const invites = Object.entries(rooms.invite ?? {}).flatMap(([roomId, { invite_state: state }]) =>
    ownMembership(request.userId, roomId, state),
  );
  return { start, end, chunk: [...eventsOf(presence), ...eventsOf(accountData), ...ofRooms, ...invites] };
}
