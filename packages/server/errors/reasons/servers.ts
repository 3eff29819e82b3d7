import type { ErrorEntry } from '../error-entry.ts';

/** What goes wrong between servers: who signed a request, policy servers, servers that cannot be reached. */
export const serverErrors = {
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
  'federation.failed': {
    errcode: 'M_UNKNOWN',
    status: 502,
    message: 'The other server could not be reached, or did not answer as it should.',
  },
  'federation.refused': { errcode: 'M_UNKNOWN', status: 400, message: 'The other server refuses.' },
} as const satisfies Record<string, ErrorEntry>;
