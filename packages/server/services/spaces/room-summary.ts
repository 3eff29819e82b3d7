import type { Reader } from '@portico/storage';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomSummaries } from '../directory/room-summaries.ts';
import { fullSummary } from '../directory/room-summary.ts';
import type { RoomParts } from '../rooms/room-parts.ts';
import { knowableRooms } from './access.ts';

export type SummaryDependencies = Pick<RoomParts, 'resolve'> & {
  readonly db: Reader;
  readonly summaries: RoomSummaries;
};

/**
 * A room's summary for somebody, or for nobody in particular. A room that they may not know of is not found.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias}
 */
export async function readRoomSummary(
  { db, summaries, resolve }: SummaryDependencies,
  userId: string | undefined,
  roomIdOrAlias: string,
) {
  const { roomNid } = await resolve(roomIdOrAlias);
  const room = (await summaries.of([roomNid])).get(roomNid);
  const knowable = room && (await knowableRooms(db, userId).among([room]));
  if (room === undefined || knowable?.has(roomNid) !== true) throw new MatrixError('room.not-found');
  const membership = knowable.get(roomNid) ?? 'leave';
  return {
    ...fullSummary(room),
    // What clients that know only the proposal (MSC3266) look at.
    'im.nheko.summary.room_version': room.version,
    ...(room.encryption !== undefined && { 'im.nheko.summary.encryption': room.encryption }),
    ...(userId !== undefined && { membership }),
  };
}
