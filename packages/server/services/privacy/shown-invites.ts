import { inviteConfigTypes } from '@portico/protocol/privacy/invites/invite-config.ts';
import type { Reader, WriteSet } from '@portico/storage';
import { noteShownInvites, readUnnotedInvites } from '@portico/storage/stores/rooms/ended-invites.ts';
import { ignoredUserList } from '../reading/ignored-users.ts';
import type { InviteRules } from './invite-rules.ts';

/** Appends what has to be kept of the time before somebody sets account data. */
export type BeforeAccountData = (set: WriteSet, userId: string, type: string) => Promise<void>;

type Dependencies = { readonly db: Reader; readonly inviteRules: () => Pick<InviteRules, 'hiddenOf' | 'changedAt'> };

const types: ReadonlySet<string> = new Set([...inviteConfigTypes, ignoredUserList]);
/** Of the newest. Few people have as many, and on no screen are there more. */
const maxInvites = 1000;

/**
 * Keeps in mind which invitations a person could see, when they change their rules: of these, and of no others, they are to
 * hear that they are over.
 */
export function createNoteShownInvites({ db, inviteRules }: Dependencies): BeforeAccountData {
  return async (set, userId, type) => {
    if (!types.has(type)) return;
    // Of those that are over, too: not every client has heard of that.
    const invites = await readUnnotedInvites(db, userId, await inviteRules().changedAt(userId), maxInvites);
    if (invites.length === 0) return;
    const hidden = await inviteRules().hiddenOf(
      userId,
      invites.map(({ inviter }) => inviter),
    );
    noteShownInvites(
      set,
      userId,
      invites.filter(({ inviter }) => !hidden.has(inviter)),
    );
  };
}
