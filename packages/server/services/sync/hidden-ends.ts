import { readEndedInvites } from '@portico/storage/stores/rooms/ended-invites.ts';
import type { SyncContext, SyncPass } from './pass.ts';
import type { LeftPlan } from './plan.ts';

/**
 * Without those rooms that the user never learned to be invited to: that somebody takes an invitation back, or bans the person
 * from the room, would tell them of it. Where they changed their rules after it came, a client may have been shown it, and has
 * to hear that it is gone.
 */
export async function withoutHiddenEnds(
  { db, inviteRules }: Pick<SyncContext, 'db' | 'inviteRules'>,
  plans: readonly LeftPlan[],
  { userId, since }: Pick<SyncPass, 'userId' | 'since'>,
): Promise<readonly LeftPlan[]> {
  const neverIn = plans.filter(({ joinedUntil }) => joinedUntil === undefined);
  if (neverIn.length === 0) return plans;
  const ended = await readEndedInvites(
    db,
    userId,
    neverIn.map(({ nid }) => nid),
  );
  const byOthers = ended.filter(({ ended_by: by }) => by !== userId);
  if (byOthers.length === 0) return plans;
  const hiddenInviters = await inviteRules.hiddenOf(
    userId,
    byOthers.map(({ inviter }) => inviter),
  );
  if (hiddenInviters.size === 0) return plans;
  const changedAt = await inviteRules.changedAt(userId);
  const hidden = new Set<number>();
  for (const { room_nid: nid, inviter, position } of byOthers) {
    if (hiddenInviters.has(inviter) && (since === undefined || changedAt < position)) hidden.add(nid);
  }
  return plans.filter(({ nid, joinedUntil }) => joinedUntil !== undefined || !hidden.has(nid));
}
