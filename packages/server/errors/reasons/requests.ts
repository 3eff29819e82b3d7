import type { ErrorEntry } from '../error-entry.ts';

/** What is wrong with a request whoever it is from, and what the server cannot do just now. */
export const requestErrors = {
  'request.bad-url': { errcode: 'M_INVALID_PARAM', status: 400, message: 'The address is not valid.' },
  'request.bad-http': { errcode: 'M_UNKNOWN', status: 400, message: 'This is not a valid HTTP request.' },
  'request.headers-too-large': { errcode: 'M_TOO_LARGE', status: 431, message: 'The request headers are too large.' },
  'request.timeout': { errcode: 'M_UNKNOWN', status: 408, message: 'The request took too long to arrive.' },
  'request.too-many-pieces': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'The request body came in too many small pieces.',
  },
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
  'not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'Not found.' },
  forbidden: { errcode: 'M_FORBIDDEN', status: 403, message: 'You may not do this.' },
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
} as const satisfies Record<string, ErrorEntry>;
