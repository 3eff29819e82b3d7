import { MatrixError } from '../../../errors/matrix-error.ts';
import type { RefusedPdu } from './check-pdus.ts';

/** "servers SHOULD return `M_INVALID_PARAM`" for an event that is not what its request says. */
export function refuse(message: string): never {
  throw new MatrixError('request.invalid-param', { message });
}

/** Refuses a request whose event has failed its checks. */
export function refuseUnchecked(checked: Pick<RefusedPdu, 'reason' | 'isBadJson'> | undefined): never {
  if (checked === undefined) refuse('There is no event.');
  if (checked.isBadJson) throw new MatrixError('request.bad-json', { message: checked.reason });
  refuse(checked.reason);
}
