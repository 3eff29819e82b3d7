import type { JsonObject } from '@portico/protocol';
import type { Plan } from '../room-writer.ts';
import { isSameContent } from '../same-content.ts';
import { changeMembership, membershipOf, refuse, withReason } from './change-membership.ts';

/** Invites a person, under their own profile as far as the server knows it, unless the same invitation is there already. */
export function planInvite(sender: string, userId: string, profile: JsonObject, reason: string | undefined): Plan {
  const invitation = withReason({ ...profile, membership: 'invite' }, reason);
  return changeMembership({
    sender,
    userId,
    content(current) {
      const membership = membershipOf(current);
      if (membership === 'join') refuse(`${userId} is already in the room.`);
      if (membership === 'ban') refuse(`${userId} is banned from the room.`);
      const isThere = current?.event.sender === sender && isSameContent(current.event.content, invitation);
      return isThere ? undefined : invitation;
    },
  });
}
