export type ErrorEntry = {
  /** `undefined` for a challenge, which has no error unless an attempt has failed. */
  readonly errcode: string | undefined;
  /** Read by the HTTP error plugin and by nobody else. */
  readonly status: number;
  readonly message: string;
};

/**
 * Every way in which a request can be refused, by reason. A reason may also be the name of a write set's guard: when
 * that guard fails, the request is refused with the reason's entry.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#standard-error-response}
 */
export const errorTable = {
  'request.bad-url': { errcode: 'M_INVALID_PARAM', status: 400, message: 'The address is not valid.' },
  'request.bad-http': { errcode: 'M_UNKNOWN', status: 400, message: 'This is not a valid HTTP request.' },
  'request.headers-too-large': { errcode: 'M_TOO_LARGE', status: 431, message: 'The request headers are too large.' },
  'request.timeout': { errcode: 'M_UNKNOWN', status: 408, message: 'The request took too long to arrive.' },
  'request.unknown-path': { errcode: 'M_UNRECOGNIZED', status: 404, message: 'Unrecognized request.' },
  'request.unknown-method': {
    errcode: 'M_UNRECOGNIZED',
    status: 405,
    message: 'This path does not support this method.',
  },
  'request.not-json': { errcode: 'M_NOT_JSON', status: 400, message: 'The request body is not JSON.' },
  'request.bad-json': { errcode: 'M_BAD_JSON', status: 400, message: 'The request body is malformed.' },
  'request.missing-param': { errcode: 'M_MISSING_PARAM', status: 400, message: 'A required parameter is missing.' },
  'request.invalid-param': { errcode: 'M_INVALID_PARAM', status: 400, message: 'A parameter has the wrong value.' },
  'request.too-large': { errcode: 'M_TOO_LARGE', status: 413, message: 'The request is too large.' },
  'request.limit-exceeded': { errcode: 'M_LIMIT_EXCEEDED', status: 429, message: 'Too many requests.' },
  'server.overloaded': { errcode: 'M_UNKNOWN', status: 503, message: 'The server is overloaded; try again soon.' },
  'server.unavailable': {
    errcode: 'M_UNKNOWN',
    status: 503,
    message: 'The server cannot write just now; try again soon.',
  },
  'server.internal': { errcode: 'M_UNKNOWN', status: 500, message: 'Internal server error.' },
  'sliding.unknown-pos': {
    errcode: 'M_UNKNOWN_POS',
    status: 400,
    message: 'There is no such position any more; start the connection anew.',
  },
  'sliding.raced': {
    errcode: 'M_UNKNOWN',
    status: 409,
    message: 'The connection was started by several requests at the same time; try again.',
  },
  'not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'Not found.' },
  forbidden: { errcode: 'M_FORBIDDEN', status: 403, message: 'You may not do this.' },

  'server-auth.missing': {
    errcode: 'M_UNAUTHORIZED',
    status: 401,
    message: 'The request is not signed by a server: there is no X-Matrix authorization.',
  },
  'server-auth.malformed': {
    errcode: 'M_UNAUTHORIZED',
    status: 401,
    message: 'The X-Matrix authorization is malformed.',
  },
  'server-auth.wrong-destination': {
    errcode: 'M_UNAUTHORIZED',
    status: 401,
    message: 'The request is signed for another server.',
  },
  'server-auth.own-name': {
    errcode: 'M_UNAUTHORIZED',
    status: 401,
    message: 'The request says that it is from this server.',
  },
  'server-auth.unknown-key': {
    errcode: 'M_UNAUTHORIZED',
    status: 401,
    message: 'No key that is valid now could be found for the signature.',
  },
  'server-auth.wrong-signature': {
    errcode: 'M_UNAUTHORIZED',
    status: 401,
    message: 'The signature does not belong to this request.',
  },

  'policy.refused': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'The policy server of the room refuses this event.',
  },
  'policy.not-signed': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'The policy server of the room gives no signature that the room knows.',
  },
  'policy.unavailable': {
    errcode: 'M_UNKNOWN',
    status: 502,
    message: 'The policy server of the room does not answer; try again later.',
  },

  'token.missing': { errcode: 'M_MISSING_TOKEN', status: 401, message: 'No access token was given.' },
  'token.unknown': { errcode: 'M_UNKNOWN_TOKEN', status: 401, message: 'The access token is not known.' },
  'user.not-admin': { errcode: 'M_FORBIDDEN', status: 403, message: 'You are not an administrator of this server.' },
  'user.not-yourself': { errcode: 'M_FORBIDDEN', status: 403, message: 'You can do this for yourself only.' },

  'app-service.exclusive': { errcode: 'M_EXCLUSIVE', status: 400, message: 'Somebody else reserves this name.' },
  'app-service.login-exclusive': {
    errcode: 'M_EXCLUSIVE',
    status: 403,
    message: 'The user is not in the namespaces of the application service.',
  },
  'app-service.required': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'This takes the token of an application service.',
  },
  'app-service.no-url': {
    errcode: 'M_URL_NOT_SET',
    status: 400,
    message: 'The registration of the application service has no url.',
  },
  'app-service.bad-status': {
    errcode: 'M_BAD_STATUS',
    status: 502,
    message: 'The application service did not answer the ping with success.',
  },
  'app-service.unreachable': {
    errcode: 'M_CONNECTION_FAILED',
    status: 502,
    message: 'The application service cannot be reached.',
  },
  'app-service.no-answer': {
    errcode: 'M_UNKNOWN',
    status: 408,
    message: 'The application service that would know does not answer; try again later.',
  },
  'app-service.timeout': {
    errcode: 'M_CONNECTION_TIMEOUT',
    status: 504,
    message: 'The application service did not answer in time.',
  },

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
  'user.taken': { errcode: 'M_USER_IN_USE', status: 400, message: 'This user name is taken.' },
  'user.invalid-name': {
    errcode: 'M_INVALID_USERNAME',
    status: 400,
    message: 'A user name consists of a-z, 0-9, ".", "_", "=", "-", "/" and "+".',
  },
  'user.name-too-long': { errcode: 'M_INVALID_USERNAME', status: 400, message: 'A user ID has at most 255 bytes.' },
  'login-token.invalid': { errcode: 'M_FORBIDDEN', status: 403, message: 'The login token is not valid.' },
  'server-notice.cannot-leave': {
    errcode: 'M_CANNOT_LEAVE_SERVER_NOTICE_ROOM',
    status: 403,
    message: 'You cannot reject an invitation to the room where the server speaks to you.',
  },
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
  'delayed-event.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such delayed event.' },
  'delayed-event.finalised': {
    errcode: 'M_UNKNOWN',
    status: 409,
    message: 'The delayed event has been sent or cancelled already.',
  },
  /** What clients in use know from the first form of the proposal. */
  'delayed-event.too-late': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'The delay is longer than this server keeps events for.',
  },
  'delayed-event.too-large': {
    errcode: 'M_DELAY_TOO_LARGE',
    status: 400,
    message: 'The delay is longer than this server keeps events for.',
  },
  'delayed-event.too-large-unstable': {
    errcode: 'ORG.MATRIX.MSC4140_DELAY_TOO_LARGE',
    status: 400,
    message: 'The delay is longer than this server keeps events for.',
  },
  'delayed-event.too-many': {
    errcode: 'M_LIMIT_EXCEEDED',
    status: 429,
    message: 'You have too many delayed events already.',
  },
  'user.not-local': { errcode: 'M_INVALID_PARAM', status: 400, message: 'This is not a user of this server.' },
  'user.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such user.' },
  'user.not-moderated': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'Administrators can be neither locked nor suspended.',
  },
  'user.locked': { errcode: 'M_USER_LOCKED', status: 401, message: 'This account has been locked.' },
  'user.suspended': {
    errcode: 'M_USER_SUSPENDED',
    status: 403,
    message: 'You cannot perform this action while suspended.',
  },
  'password.empty': { errcode: 'M_WEAK_PASSWORD', status: 400, message: 'A password cannot be empty.' },
  'password.too-long': { errcode: 'M_INVALID_PARAM', status: 400, message: 'The password is too long.' },
  'login.forbidden': { errcode: 'M_FORBIDDEN', status: 403, message: 'Wrong user name or password.' },
  'login.unknown-identifier': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'This kind of identifier is not known here.',
  },
  'login.unknown-type': { errcode: 'M_UNKNOWN', status: 400, message: 'This login type is not supported.' },
  'user.deactivated': { errcode: 'M_USER_DEACTIVATED', status: 403, message: 'This account has been deactivated.' },
  'uia.required': { errcode: undefined, status: 401, message: 'Further authentication is needed.' },
  'uia.unknown-session': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'There is no such authentication session for this request.',
  },
  'uia.session-changed': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'Another request has gone on with this authentication session.',
  },
  'uia.unknown-stage': { errcode: 'M_UNRECOGNIZED', status: 401, message: 'This authentication type is not offered.' },

  'device.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'You have no such device.' },
  'device.unknown': { errcode: 'M_UNKNOWN_DEVICE', status: 400, message: 'The user has no such device.' },
  'device.required': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'This takes a device: name one with the parameter device_id.',
  },
  'devices.changed': {
    errcode: 'M_UNKNOWN',
    status: 409,
    message: 'There were new devices in the meantime; try again.',
  },
  'keys.invalid-signature': { errcode: 'M_INVALID_SIGNATURE', status: 400, message: 'A signature is not valid.' },
  'dehydrated-device.not-found': {
    errcode: 'M_NOT_FOUND',
    status: 404,
    message: 'There is no such dehydrated device.',
  },
  'backup.not-found': {
    errcode: 'M_NOT_FOUND',
    status: 404,
    message: 'There is no such backup, or no such key in it.',
  },
  'backup.too-many': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'You have too many backups; delete old ones first.',
  },
  'backup.too-large': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'There are too many keys in this backup.',
  },
  'backup.wrong-version': {
    errcode: 'M_WRONG_ROOM_KEYS_VERSION',
    status: 403,
    message: 'This is not the current version of the backup.',
  },
  'profile.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such profile, or no such field.' },
  'profile.too-large': { errcode: 'M_PROFILE_TOO_LARGE', status: 400, message: 'A profile has less than 64 KiB.' },
  'profile.key-too-large': {
    errcode: 'M_KEY_TOO_LARGE',
    status: 400,
    message: 'The name of a profile field has at most 255 bytes.',
  },

  'account-data.server-managed': {
    errcode: 'M_BAD_JSON',
    status: 405,
    message: 'This type is managed by the server and cannot be set through this endpoint.',
  },
  'account-data.changed': {
    errcode: 'M_UNKNOWN',
    status: 409,
    message: 'The account data was changed in the meantime; try again.',
  },
  'account-data.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no account data of this type.' },
  'account-data.too-many': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'There is too much account data.',
  },
  'thread-subscription.not-found': {
    errcode: 'M_NOT_FOUND',
    status: 404,
    message: 'You have not subscribed to this thread.',
  },
  'thread-subscription.not-in-thread': {
    errcode: 'IO.ELEMENT.MSC4306.M_NOT_IN_THREAD',
    status: 400,
    message: 'The event behind an automatic subscription must be in the thread.',
  },
  'thread-subscription.conflict': {
    errcode: 'IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION',
    status: 409,
    message: 'You have unsubscribed from this thread since that event.',
  },
  'thread-subscription.too-many': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'There are too many threads that you have subscribed to.',
  },
  'push-rule.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such push rule.' },
  'push-rule.no-neighbour': { errcode: 'M_UNKNOWN', status: 400, message: 'The before/after rule was not found.' },
  'push-rule.too-many': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'There are too many push rules.',
  },
  'pusher.too-many': { errcode: 'M_USER_LIMIT_EXCEEDED', status: 403, message: 'There are too many pushers.' },
  'filter.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such filter.' },

  'media.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There are no such media.' },
  'media.not-yet-uploaded': {
    errcode: 'M_NOT_YET_UPLOADED',
    status: 504,
    message: 'The content has not been uploaded yet.',
  },
  'media.already-uploaded': {
    errcode: 'M_CANNOT_OVERWRITE_MEDIA',
    status: 409,
    message: 'There is content at this address already.',
  },
  'media.not-yours': { errcode: 'M_FORBIDDEN', status: 403, message: 'Somebody else made this address.' },
  'media.too-many-pending': {
    errcode: 'M_LIMIT_EXCEEDED',
    status: 429,
    message: 'Too many addresses of yours wait for their content.',
  },
  'media.too-many-uploads': { errcode: 'M_LIMIT_EXCEEDED', status: 429, message: 'Too many uploads at the same time.' },
  'media.too-large': { errcode: 'M_TOO_LARGE', status: 413, message: 'The file is too large.' },
  'media.too-large-to-fetch': {
    errcode: 'M_TOO_LARGE',
    status: 502,
    message: 'The file is too large to be fetched from its server.',
  },
  'media.no-thumbnail': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'No thumbnails can be made of this content.',
  },
  'media.too-large-to-thumbnail': {
    errcode: 'M_TOO_LARGE',
    status: 413,
    message: 'The image is too large to make a thumbnail of.',
  },

  'preview.disabled': { errcode: 'M_UNRECOGNIZED', status: 404, message: 'This server makes no previews of links.' },
  'preview.bad-url': { errcode: 'M_INVALID_PARAM', status: 400, message: 'This is no address of a page on the web.' },
  'preview.host-refused': { errcode: 'M_FORBIDDEN', status: 403, message: 'No previews are made of this site.' },
  'preview.failed': { errcode: 'M_UNKNOWN', status: 502, message: 'There is no page to be had at this address.' },
  'preview.too-many': {
    errcode: 'M_LIMIT_EXCEEDED',
    status: 429,
    message: 'Too many previews that you have asked for are still being made.',
  },

  'room.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such room here.' },
  'room.unsupported-version': {
    errcode: 'M_UNSUPPORTED_ROOM_VERSION',
    status: 400,
    message: 'This server does not support the room version.',
  },
  'room.incompatible-version': {
    errcode: 'M_INCOMPATIBLE_ROOM_VERSION',
    status: 400,
    message: 'Your server does not support the version of this room.',
  },
  'federation.failed': { errcode: 'M_UNKNOWN', status: 502, message: 'The other server could not be reached.' },
  'alias.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such room alias.' },
  'alias.taken': { errcode: 'M_ROOM_IN_USE', status: 400, message: 'This room alias is taken.' },
  'alias.exists': { errcode: 'M_UNKNOWN', status: 409, message: 'This room alias is taken.' },
  'alias.bad': { errcode: 'M_BAD_ALIAS', status: 400, message: 'The alias does not point at this room.' },
  'alias.too-many': { errcode: 'M_FORBIDDEN', status: 403, message: 'This room has too many aliases.' },
  'alias.too-many-of-yours': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'You have made too many aliases; remove some first.',
  },
  'room.not-left': { errcode: 'M_UNKNOWN', status: 400, message: 'You have not left this room.' },
  'room.invalid-state': {
    errcode: 'M_INVALID_ROOM_STATE',
    status: 400,
    message: 'The room would begin in a state that its rules do not allow.',
  },
  'join.unable-to-authorise': {
    errcode: 'M_UNABLE_TO_AUTHORISE_JOIN',
    status: 400,
    message: 'This server cannot tell whether you meet the conditions of the room.',
  },
  'join.unable-to-grant': {
    errcode: 'M_UNABLE_TO_GRANT_JOIN',
    status: 400,
    message: 'Nobody of this server who is in the room may let you in.',
  },
  'report.too-many': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'You have reported too much; the administrators have not caught up yet.',
  },
  'event.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such event in this room.' },
  'relation.duplicate': {
    errcode: 'M_DUPLICATE_ANNOTATION',
    status: 400,
    message: 'You have reacted to this event in this way already.',
  },
  'relation.nested-thread': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'A thread cannot start at an event that relates to another one.',
  },
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

export type ErrorReason = keyof typeof errorTable;

export function isErrorReason(name: string): name is ErrorReason {
  return Object.hasOwn(errorTable, name);
}
