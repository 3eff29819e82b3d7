import { findEvent, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomAccess } from './access.ts';
import type { ReadingContext, Requester } from './context.ts';
import { rawRender } from './render.ts';
import { asSeen } from './visibility.ts';

/** An event that the requester may see. Throws `not-found` for others, whether or not they exist. */
export async function getVisibleEvent(
  context: ReadingContext,
  access: RoomAccess | undefined,
  eventId: string,
): Promise<{ readonly row: ClientEventRow; readonly membership: string }> {
  const row = access && (await findEvent(context.db, access.roomNid, eventId));
  if (access !== undefined && row !== undefined && row.room_order !== null) {
    const sight = (await context.visibility.judge(access.viewer, [row])).get(row.event_nid);
    const seen = asSeen(row, sight);
    if (sight !== undefined && seen !== undefined) return { row: seen, membership: sight.membership };
  }
  throw new MatrixError('not-found', { message: 'There is no such event, or you may not see it.' });
}

/** {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomideventeventid} */
export async function readOneEvent(
  context: ReadingContext,
  requester: Requester,
  roomId: string,
  eventId: string,
): Promise<string> {
  const access = await context.access.find(requester.userId, roomId);
  const { row, membership } = await getVisibleEvent(context, access, eventId);
  return (await rawRender(context, requester, roomId, [{ row, membership }], access)).slice(1, -1);
}
