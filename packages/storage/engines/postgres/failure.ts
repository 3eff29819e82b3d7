import { DatabaseError } from 'pg';
import type { StorageErrorReason } from '../../errors.ts';

export function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/**
 * Why the database as a whole could not do it; `undefined` where the statement is to blame.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function wholeFailure(error: unknown): StorageErrorReason | undefined {
  const state = sqlState(error);
  // A value that does not go over is a defect; whatever else is no answer of the server is a lost connection.
  if (error instanceof RangeError || error instanceof TypeError) return undefined;
  if (state === undefined) return 'unavailable';
  if (state === '53100') return 'disk-full';
  switch (state.slice(0, 2)) {
    case '08': // connection
    case '40': // deadlock, serialization
    case '53': // resources
    case '57': // operator, timeout
    case '58': // system
      return 'unavailable';
    default:
      // Locks not to be had, transactions ended for idling, a standby that cannot be written to.
      return state === '55P03' || state === '25P03' || state === '25006' ? 'unavailable' : undefined;
  }
}

/** Whether PostgreSQL has undone a transaction because of others that ran at the same time: it may succeed the next time. */
export function isUndoneForOthers(error: unknown): boolean {
  return sqlState(error)?.startsWith('40') === true;
}
