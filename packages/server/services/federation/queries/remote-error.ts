import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ErrorReason } from '../../../errors/table.ts';
import { FederationError } from '../client/federation-error.ts';

/** What another server's refusal is to who asked us: not there, or not to be had. */
export function toMatrixError(error: unknown, absent: ErrorReason): unknown {
  if (!(error instanceof FederationError)) return error;
  return new MatrixError(error.refusal?.status === 404 ? absent : 'federation.failed');
}
