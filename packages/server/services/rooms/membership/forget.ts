import { createWriteSet, type Database } from '@portico/storage';
import { forgetRoom } from '@portico/storage/stores/rooms/forgotten-rooms.ts';
import { findMembership } from '@portico/storage/stores/rooms/memberships-read.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';

/**
 * Forgets a room that somebody has left. Nothing happens to a room that they never had to do with.
 *
 * "If the user is currently joined to the room, they must leave the room before calling this API."
 * {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidforget}
 */
export async function forget(db: Database, roomNid: number, userId: string): Promise<void> {
  const row = await findMembership(db, roomNid, userId);
  if (row === undefined || row.forgotten === 1) return;
  if (row.membership !== 'leave' && row.membership !== 'ban') throw new MatrixError('room.not-left');
  const set = createWriteSet();
  forgetRoom(set, roomNid, userId);
  await db.commit(set);
}
