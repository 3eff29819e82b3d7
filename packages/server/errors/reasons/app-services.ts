import type { ErrorEntry } from '../error-entry.ts';

/** Application services. */
export const appServiceErrors = {
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
} as const satisfies Record<string, ErrorEntry>;
