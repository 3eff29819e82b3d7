import type { ErrorEntry } from '../error-entry.ts';

/** What somebody keeps for themselves: account data, filters, push rules, pushers, thread subscriptions. */
export const accountDataErrors = {
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
} as const satisfies Record<string, ErrorEntry>;
