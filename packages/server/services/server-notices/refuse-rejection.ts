import type { Reader } from '@portico/storage';
import { findMembership } from '@portico/storage/stores/rooms/memberships-read.ts';
import { findNoticeRoom } from '@portico/storage/stores/rooms/server-notice-rooms.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/**
 * > If a user attempts to reject an invite to a server notices room, the server must respond with
 * > `M_CANNOT_LEAVE_SERVER_NOTICE_ROOM`.
 *
 * Who has joined it may leave: the next notice invites them again.
 */
export async function refuseRejection(reader: Reader, userId: string, roomId: string, roomNid: number): Promise<void> {
  if ((await findNoticeRoom(reader, userId)) !== roomId) return;
  const membership = (await findMembership(reader, roomNid, userId))?.membership;
  if (membership === 'invite') throw new MatrixError('server-notice.cannot-leave');
}
