import { type EndedRequestRow, readEndedRequests } from '@portico/storage/stores/rooms/ended-invites.ts';
import { readShownPending } from './invites.ts';
import type { SyncContext, SyncPass } from './pass.ts';
import type { LeftPlan } from './plan.ts';

type Context = Pick<SyncContext, 'db' | 'inviteRules' | 'erasedSenders'>;
type Pass = Pick<SyncPass, 'userId' | 'since'>;

/**
 * Without those rooms that the user never learned to be invited to: that somebody takes an invitation back, or bans the person
 * from the room, would tell them of it. Where they could see it, or have knocked before, a client has to hear that it is over.
 */
export async function withoutHiddenEnds(
  context: Context,
  plans: readonly LeftPlan[],
  pass: Pass,
): Promise<readonly LeftPlan[]> {
  const beneath = await withoutShown(context, plans, pass);
  const hidden = await findHiddenEnds(
    context,
    beneath.map(({ nid }) => nid),
    pass,
  );
  return beneath.flatMap((plan) => {
    if (!hidden.has(plan.nid)) return [plan];
    // Rooms that they were in before are as they left them.
    return plan.joinedUntil === undefined ? [] : [{ ...plan, end: plan.joinedUntil }];
  });
}

/** Without rooms that the user has left and is invited to again, where the invitation says all that a client has to know. */
async function withoutShown(context: Context, plans: readonly LeftPlan[], pass: Pass): Promise<readonly LeftPlan[]> {
  const invited = plans.filter(({ isInvited }) => isInvited);
  if (invited.length === 0) return plans;
  const pending = invited.map(({ nid }) => ({ nid, membership: 'invite' }) as const);
  const shown = await readShownPending(context, pending, pass);
  return plans.filter(({ nid, isInvited }) => !isInvited || !shown.has(nid));
}

/** Of rooms that the user is not in, those to which they were invited last without getting to see that, before it was over. */
export async function findHiddenEnds(
  { db, inviteRules }: Pick<Context, 'db' | 'inviteRules'>,
  nids: readonly number[],
  { userId, since }: Pass,
): Promise<ReadonlySet<number>> {
  const ended = (await readEndedRequests(db, userId, nids)).filter(({ ended_by: by }) => by !== userId);
  if (ended.length === 0) return new Set();
  const invites = ended.filter(({ membership }) => membership === 'invite');
  const inviters = await inviteRules.hiddenOf(
    userId,
    invites.map(({ sender }) => sender),
  );
  // A client that starts with this answer has nothing on its screen.
  const isTold = ({ membership, sender, was_shown: shown }: EndedRequestRow): boolean =>
    membership === 'knock' || !inviters.has(sender) || (since !== undefined && shown === 1);
  const told = new Set(ended.filter(isTold).map((row) => row.room_nid));
  return new Set(ended.map((row) => row.room_nid)).difference(told);
}
