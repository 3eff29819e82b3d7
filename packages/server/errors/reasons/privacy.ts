import type { ErrorEntry } from '../error-entry.ts';

/** What people do not let others do or see. */
export const privacyErrors = {
  'invite.blocked': {
    errcode: 'M_INVITE_BLOCKED',
    status: 403,
    message: 'This person does not take invitations from you.',
  },
  'invite.blocked-unstable': {
    errcode: 'ORG.MATRIX.MSC4155.M_INVITE_BLOCKED',
    status: 403,
    message: 'This person does not take invitations from you.',
  },
  'presence.hidden': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'You are not allowed to see their presence.',
  },
  'presence.disabled': { errcode: 'M_FORBIDDEN', status: 403, message: 'Presence is turned off on this server.' },
} as const satisfies Record<string, ErrorEntry>;
