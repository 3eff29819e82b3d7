import type { JsonObject } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findBlocked } from '@portico/storage/stores/rooms/blocked-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';

/** Nobody of this server gets into a room that its administrators have blocked, nor is invited to it. */
export async function refuseBlockedRoom(db: Reader, roomId: string): Promise<void> {
  if ((await findBlocked(db, roomId)) !== undefined) throw new MatrixError('room.blocked');
}

const entering: ReadonlySet<unknown> = new Set(['join', 'invite', 'knock']);

/** Whether an entry of a room's state takes somebody into it. */
export function isEntering(type: string, content: JsonObject): boolean {
  return type === 'm.room.member' && entering.has(content['membership']);
}
