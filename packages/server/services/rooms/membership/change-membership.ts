import type { JsonObject } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { memberDraft } from '../draft.ts';
import type { StateEvent } from '../head.ts';
import type { Plan, RoomView } from '../room-writer.ts';
import { isSameContent } from '../same-content.ts';

export type Membership = 'join' | 'invite' | 'leave' | 'ban' | 'knock';

/** The membership that an event gives its subject; `leave` where there is none. */
export function membershipOf(member: StateEvent | undefined): string {
  const membership = member?.event.content['membership'];
  return typeof membership === 'string' ? membership : 'leave';
}

type Options = {
  readonly sender: string;
  readonly userId: string;
  /** The content of the member event, or nothing if the subject is where they should be. Throws to refuse. */
  readonly content: (current: StateEvent | undefined, view: RoomView) => JsonObject | undefined;
};

/** A plan that changes one person's membership, unless the sender has set the very same one already. */
export function changeMembership({ sender, userId, content }: Options): Plan {
  return {
    needs: [['m.room.member', userId]],
    drafts(view) {
      const current = view.state('m.room.member', userId);
      const made = content(current, view);
      if (made === undefined) return [];
      const isThere = current?.event.sender === sender && isSameContent(current.event.content, made);
      return isThere ? [] : [memberDraft(sender, userId, made)];
    },
  };
}

export function withReason(content: JsonObject, reason: string | undefined): JsonObject {
  return reason === undefined ? content : { ...content, reason };
}

export function refuse(message: string): never {
  throw new MatrixError('forbidden', { message });
}
