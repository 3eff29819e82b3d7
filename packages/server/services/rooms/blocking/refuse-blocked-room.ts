import type { JsonObject } from '@portico/protocol';
import type { Reader, WriteSet } from '@portico/storage';
import { findBlocked, refuseBlocked, turnAwayIfBlocked } from '@portico/storage/stores/rooms/blocked-rooms.ts';
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

type Entered = Pick<Step, 'head' | 'memberships'>;

/** People of this server who get into a room with these steps, or are invited to it. */
function entrantsOf({ memberships }: Entered): string[] {
  return memberships
    .filter(({ isLocal, membership, previous }) => isLocal && membership !== previous && entering.has(membership))
    .map(({ userId }) => userId);
}

/**
 * Whoever gets into a room, or is invited to it, does so only if it is not blocked when that is committed: who is still to be taken
 * out of a room that is shut down is then in it already. Adds the guard `room.blocked`.
 */
export function requireOpenRoom(set: WriteSet, steps: readonly Entered[]): void {
  for (const step of steps) if (entrantsOf(step).length > 0) refuseBlocked(set, step.head.roomId);
}

/**
 * What other servers have made part of a room cannot be refused, for everything after it builds on it: whoever it takes into a room that
 * is blocked when that is committed is taken out again.
 */
export function turnAwayEntrants(set: WriteSet, steps: readonly Entered[]): void {
  for (const step of steps) {
    const { roomNid, roomId } = step.head;
    for (const userId of entrantsOf(step)) turnAwayIfBlocked(set, userId, { roomNid, roomId });
  }
}
