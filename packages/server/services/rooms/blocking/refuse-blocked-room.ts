import type { JsonObject } from '@portico/protocol';
import type { Reader, WriteSet } from '@portico/storage';
import { findBlocked, refuseBlocked } from '@portico/storage/stores/rooms/blocked-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Step } from '../steps.ts';

/** Nobody of this server gets into a room that its administrators have blocked, nor is invited to it. */
export async function refuseBlockedRoom(db: Reader, roomId: string): Promise<void> {
  if ((await findBlocked(db, roomId)) !== undefined) throw new MatrixError('room.blocked');
}

const entering: ReadonlySet<unknown> = new Set(['join', 'invite', 'knock']);

/** Whether an entry of a room's state takes somebody into it. */
export function isEntering(type: string, content: JsonObject): boolean {
  return type === 'm.room.member' && entering.has(content['membership']);
}

/**
 * Whoever gets into a room, or is invited to it, does so only if it is not blocked when that is committed: who is still to be taken
 * out of a room that is shut down is then in it already. Adds the guard `room.blocked`.
 */
export function requireOpenRoom(set: WriteSet, steps: readonly Pick<Step, 'head' | 'memberships'>[]): void {
  for (const { head, memberships } of steps) {
    const isEntered = memberships.some(
      ({ isLocal, membership, previous }) => isLocal && membership !== previous && entering.has(membership),
    );
    if (isEntered) refuseBlocked(set, head.roomId);
  }
}
