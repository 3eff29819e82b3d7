import type { ErrorEntry } from '../error-entry.ts';

/** Accounts: registration, logging in, passwords, and what an account may not do. */
export const accountErrors = {
  'token.missing': { errcode: 'M_MISSING_TOKEN', status: 401, message: 'No access token was given.' },
  'token.unknown': { errcode: 'M_UNKNOWN_TOKEN', status: 401, message: 'The access token is not known.' },
  'user.not-admin': { errcode: 'M_FORBIDDEN', status: 403, message: 'You are not an administrator of this server.' },
  'admin.last': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'Nobody else is an administrator of this server: make somebody one first.',
  },
  'user.not-yourself': { errcode: 'M_FORBIDDEN', status: 403, message: 'You can do this for yourself only.' },
  'user.taken': { errcode: 'M_USER_IN_USE', status: 400, message: 'This user name is taken.' },
  'user.invalid-name': {
    errcode: 'M_INVALID_USERNAME',
    status: 400,
    message: 'A user name consists of a-z, 0-9, ".", "_", "=", "-", "/" and "+".',
  },
  'user.name-too-long': { errcode: 'M_INVALID_USERNAME', status: 400, message: 'A user ID has at most 255 bytes.' },
  'user.not-local': { errcode: 'M_INVALID_PARAM', status: 400, message: 'This is not a user of this server.' },
  'user.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such user.' },
  'user.not-moderated': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'This cannot be done to an administrator: take the right from them first.',
  },
  'user.locked': { errcode: 'M_USER_LOCKED', status: 401, message: 'This account has been locked.' },
  'user.suspended': {
    errcode: 'M_USER_SUSPENDED',
    status: 403,
    message: 'You cannot perform this action while suspended.',
  },
  'user.deactivated': { errcode: 'M_USER_DEACTIVATED', status: 403, message: 'This account has been deactivated.' },
  'registration.disabled': { errcode: 'M_FORBIDDEN', status: 403, message: 'Registration is closed on this server.' },
  'registration.no-shared-secret': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'Registration by shared secret is not enabled on this server.',
  },
  'registration.guest': {
    errcode: 'M_GUEST_ACCESS_FORBIDDEN',
    status: 403,
    message: 'Guest accounts are not available on this server.',
  },
  'registration.bad-mac': { errcode: 'M_FORBIDDEN', status: 403, message: 'The HMAC is incorrect.' },
  'registration.bad-nonce': { errcode: 'M_UNKNOWN', status: 400, message: 'The nonce is not known or has been used.' },
  'registration-token.invalid': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'The registration token is not valid.',
  },
  'registration-token.taken': {
    errcode: 'M_INVALID_PARAM',
    status: 400,
    message: 'There is already such a registration token.',
  },
  'login.forbidden': { errcode: 'M_FORBIDDEN', status: 403, message: 'Wrong user name or password.' },
  'login.unknown-identifier': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'This kind of identifier is not known here.',
  },
  'login.unknown-type': { errcode: 'M_UNKNOWN', status: 400, message: 'This login type is not supported.' },
  'login-token.invalid': { errcode: 'M_FORBIDDEN', status: 403, message: 'The login token is not valid.' },
  'password.empty': { errcode: 'M_WEAK_PASSWORD', status: 400, message: 'A password cannot be empty.' },
  'password.changed': { errcode: 'M_FORBIDDEN', status: 403, message: 'The password has just been changed.' },
  'password.too-long': { errcode: 'M_INVALID_PARAM', status: 400, message: 'The password is too long.' },
  'uia.required': { errcode: undefined, status: 401, message: 'Further authentication is needed.' },
  'uia.unknown-session': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'There is no such authentication session.',
  },
  'uia.other-request': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'This authentication session was opened for another request.',
  },
  'uia.session-changed': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'Another request has gone on with this authentication session.',
  },
  'uia.unknown-stage': { errcode: 'M_UNRECOGNIZED', status: 401, message: 'This authentication type is not offered.' },
  'profile.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such profile, or no such field.' },
  'profile.too-large': { errcode: 'M_PROFILE_TOO_LARGE', status: 400, message: 'A profile has less than 64 KiB.' },
  'profile.key-too-large': {
    errcode: 'M_KEY_TOO_LARGE',
    status: 400,
    message: 'The name of a profile field has at most 255 bytes.',
  },
} as const satisfies Record<string, ErrorEntry>;
