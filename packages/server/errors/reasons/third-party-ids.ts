import type { ErrorEntry } from '../error-entry.ts';

/** Email addresses of people: the mail, the proofs, the identity servers. */
export const thirdPartyIdErrors = {
  'mail.failed': {
    errcode: 'M_EMAIL_SEND_ERROR',
    status: 502,
    message: 'The email could not be sent; try again later.',
  },
  'mail.refused': {
    errcode: 'M_EMAIL_SEND_ERROR',
    status: 502,
    message: 'The mail server does not take email for this address.',
  },
  'third-party.not-supported': {
    errcode: 'M_THREEPID_MEDIUM_NOT_SUPPORTED',
    status: 400,
    message: 'This server does not support identifiers of this kind.',
  },
  'third-party.taken': {
    errcode: 'M_THREEPID_IN_USE',
    status: 400,
    message: 'This address belongs to an account of this server already.',
  },
  'third-party.not-found': {
    errcode: 'M_THREEPID_NOT_FOUND',
    status: 400,
    message: 'This address belongs to no account of this server.',
  },
  'third-party.too-many': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'There are too many addresses on this account.',
  },
  'third-party.not-validated': {
    errcode: 'M_THREEPID_AUTH_FAILED',
    status: 403,
    message: 'The address has not been proved to be yours, or that was too long ago.',
  },
  'identity.refused': { errcode: 'M_UNKNOWN', status: 400, message: 'The identity server refused this.' },
  'identity.forbidden': { errcode: 'M_FORBIDDEN', status: 403, message: 'The identity server does not allow this.' },
  'identity.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'The identity server does not know this.' },
  'validation.changed': {
    errcode: 'M_UNKNOWN',
    status: 409,
    message: 'Another request about the same address was faster; try again.',
  },
} as const satisfies Record<string, ErrorEntry>;
