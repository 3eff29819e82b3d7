import { isUserId } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { InviteRules } from '../../privacy/invite-rules.ts';
import type { Draft } from '../draft.ts';

export type Invitations = {
  readonly refuseBlocked: InviteRules['refuseBlocked'];
  /** Whether somebody's own server decides. */
  readonly isElsewhere: (userId: string) => boolean;
};

/** The person whom an entry of a room's state would invite. */
export function inviteeOf(entry: Pick<Draft, 'type' | 'stateKey' | 'content'>): string | undefined {
  return entry.type === 'm.room.member' && entry.content['membership'] === 'invite' ? entry.stateKey : undefined;
}

/** Those of the first events of a room that invite people of other servers: these are asked before it becomes part of the room. */
export function invitationsElsewhere(
  { isElsewhere }: Pick<Invitations, 'isElsewhere'>,
  drafts: readonly Draft[],
): ReadonlyMap<string, Draft> {
  const found = new Map<string, Draft>();
  for (const draft of drafts) {
    const invitee = inviteeOf(draft);
    if (invitee !== undefined && isUserId(invitee) && isElsewhere(invitee)) found.set(invitee, draft);
  }
  return found;
}

/**
 * The first events of a room without the invitations that may not be made, and the refusal of the first of these.
 *
 * > In the case of `POST /createRoom`, it is possible for one of the invited users to be rejected whilst the room creation as
 * > a whole succeeds.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4380}
 */
export async function withoutBlocked(
  { refuseBlocked, isElsewhere }: Invitations,
  drafts: readonly Draft[],
): Promise<{ readonly passed: readonly Draft[]; readonly refusal: MatrixError | undefined }> {
  const passed: Draft[] = [];
  let refusal: MatrixError | undefined;
  for (const draft of drafts) {
    const invitee = inviteeOf(draft);
    try {
      if (invitee !== undefined && !isElsewhere(invitee)) await refuseBlocked(draft.sender, invitee);
      passed.push(draft);
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      refusal ??= error;
    }
  }
  return { passed, refusal };
}
