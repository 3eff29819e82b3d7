import { findRefusal } from '../../../errors/from-storage.ts';

/** Whether something failed that will work later, so that the transaction it came in is to come again. */
export function comesAgain(error: unknown): boolean {
  const reason = findRefusal(error)?.reason;
  return reason === 'server.unavailable' || reason === 'server.overloaded';
}
