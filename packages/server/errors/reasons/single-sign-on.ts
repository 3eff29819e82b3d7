import type { ErrorEntry } from '../error-entry.ts';

/** Logging in by way of other services. People read these on pages. */
export const singleSignOnErrors = {
  'sso.unknown-provider': {
    errcode: 'M_NOT_FOUND',
    status: 404,
    message: 'This server does not know the service that you want to log in by.',
  },
  'sso.bad-redirect': {
    errcode: 'M_INVALID_PARAM',
    status: 400,
    message: 'The address to which your client wants to be led back is none that this server leads to.',
  },
  'sso.over': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'This login is over: it has been used, or took too long. Go back to your client, and begin again.',
  },
  'sso.other-browser': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message:
      'This login was begun in another browser, or this one keeps no cookies. Go back to your client, and begin again.',
  },
  'sso.denied': { errcode: 'M_FORBIDDEN', status: 403, message: 'The service that you came from did not let you in.' },
  'sso.provider-failed': {
    errcode: 'M_UNKNOWN',
    status: 502,
    message: 'The service that you log in by does not answer, or not as it should. Try again later.',
  },
  'sso.missing-claim': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'You are known to the service that you came from, and not among those who may log in here.',
  },
  'sso.no-account': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'You have no account here that is linked with where you came from, and none is made.',
  },
  'sso.reserved': {
    errcode: 'M_EXCLUSIVE',
    status: 403,
    message:
      'Your user name at the service that you came from belongs to a bridge or a bot here. Ask the administrators of this server for another way in.',
  },
  'sso.logged-out': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'The service that you log in by has logged you out meanwhile. Begin again.',
  },
  'sso.bad-logout-token': {
    errcode: undefined,
    oauth: 'invalid_request',
    status: 400,
    message: 'This is no logout token of this provider for this server, is over, or was given before.',
  },
  'sso.no-email': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'An account here takes an email address, and the service that you came from knows of none that is yours.',
  },
  'sso.other-person': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'That is not who has to confirm this: at the service you came from, you are logged in as somebody else.',
  },
  'sso.not-anew': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'The service that you came from did not have you log in once more. Log out there, and begin again.',
  },
  'sso.not-confirmed': {
    errcode: 'M_FORBIDDEN',
    status: 401,
    message: 'This has not been confirmed by way of another service.',
  },
  'external-id.taken': {
    errcode: 'M_INVALID_PARAM',
    status: 400,
    message: 'Who you are there is linked with an account here already.',
  },
  'external-id.unknown': {
    errcode: 'M_NOT_FOUND',
    status: 404,
    message: 'Your account is not linked with that.',
  },
  'external-id.too-many': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'An account is linked with fifty others at most.',
  },
  'external-id.last': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'Without this you could not log in any more. Set a password before, or link another service.',
  },
} as const satisfies Record<string, ErrorEntry>;
