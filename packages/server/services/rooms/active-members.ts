import type { WriteSet } from '@portico/storage';
import { refuseDeactivated } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import type { Step } from './steps.ts';

/**
 * Whoever enters a room, or asks to, still has an account when that is committed: a deactivated one leaves its rooms and
 * is never in one again, whatever was under way. Adds the guard `user.deactivated`.
 */
export function requireActiveMembers(set: WriteSet, steps: readonly Pick<Step, 'memberships'>[]): void {
  for (const { memberships } of steps) {
    for (const { userId, membership, isLocal } of memberships) {
      if (isLocal && (membership === 'join' || membership === 'knock')) refuseDeactivated(set, userId);
    }
  }
}
