import type { ErrorEntry } from '../error-entry.ts';

type Code = { readonly errcode: undefined; readonly oauth: string; readonly status: number; readonly message: string };

function refusal(oauth: string, status: number, message: string): Code {
  return { errcode: undefined, oauth, status, message };
}

/**
 * OAuth 2.0: what programs are told in its words ({@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2}, RFC 7591 and
 * RFC 8628), and what people read on pages.
 */
export const oauthErrors = {
  'oauth.invalid-request': refusal(
    'invalid_request',
    400,
    'A parameter is missing, given twice, or not as it should be.',
  ),
  'oauth.invalid-client': refusal('invalid_client', 401, 'No such client is registered.'),
  'oauth.invalid-grant': refusal(
    'invalid_grant',
    400,
    'This is not known, has been used, is over, or was not given to this client.',
  ),
  'oauth.unauthorized-client': refusal('unauthorized_client', 400, 'The client is not registered for this.'),
  'oauth.unsupported-grant-type': refusal('unsupported_grant_type', 400, 'This grant type is not supported.'),
  'oauth.invalid-scope': refusal(
    'invalid_scope',
    400,
    'The scope has to be that of the client-server API and of one device.',
  ),
  'oauth.authorization-pending': refusal('authorization_pending', 400, 'Nobody has said yes or no yet.'),
  'oauth.slow-down': refusal('slow_down', 400, 'The client asks too often: wait five seconds longer.'),
  'oauth.access-denied': refusal('access_denied', 400, 'Somebody has said no.'),
  'oauth.expired-token': refusal('expired_token', 400, 'The code is over. Begin again.'),
  'oauth.invalid-redirect-uri': refusal('invalid_redirect_uri', 400, 'The client cannot be led back to that address.'),
  'oauth.invalid-client-metadata': refusal('invalid_client_metadata', 400, 'A client cannot be registered as that.'),
  'oauth.unknown-client': {
    errcode: 'M_NOT_FOUND',
    status: 400,
    message: 'This server does not know the app that you came from. Go back to it, and begin again.',
  },
  'oauth.bad-redirect': {
    errcode: 'M_INVALID_PARAM',
    status: 400,
    message: 'The app that you came from wants to be led back to an address that is not among its own.',
  },
  'oauth.over': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'This login is over: it has been used, or took too long. Go back to your app, and begin again.',
  },
  'oauth.no-admin-scope': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message:
      'You are an administrator, and have not let this app administer the server: it has to log in with the scope urn:synapse:admin:*.',
  },
  'oauth.not-a-person': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'This account belongs to a bridge or a bot, which logs in by itself: no app is let in to it.',
  },
  'oauth.not-by-app': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'An app that is logged in with OAuth 2.0 cannot do this: it is done on the account page, in a browser.',
  },
  'oauth.not-confirmed': {
    errcode: 'M_FORBIDDEN',
    status: 401,
    message: 'This has not been confirmed on the page yet.',
  },
  'oauth.wrong-user-code': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'No device waits with this code. Look again whether it is the one that the device shows.',
  },
  'rendezvous.not-found': {
    errcode: 'M_NOT_FOUND',
    status: 404,
    message: 'There is no such place to meet, or it is over.',
  },
  'rendezvous.not-shown': {
    errcode: 'M_FORBIDDEN',
    status: 403,
    message: 'This is for apps. It is not shown in a browser.',
  },
  'rendezvous.concurrent-write': {
    errcode: 'IO_ELEMENT_MSC4388_CONCURRENT_WRITE',
    status: 409,
    message: 'Another message has been left meanwhile. Read it, and write again.',
  },
  'oauth.passwords-differ': {
    errcode: 'M_INVALID_PARAM',
    status: 400,
    message: 'The two passwords are not the same.',
  },
} as const satisfies Record<string, ErrorEntry>;
