import { StorageError } from '@portico/storage';
import { MatrixError } from './matrix-error.ts';
import { isErrorReason } from './table.ts';

/** What a client is told when a write did not happen, or `undefined` if that is a defect. */
function fromStorage(error: StorageError): MatrixError | undefined {
  switch (error.reason) {
    case 'guard-failed':
      return error.guard !== undefined && isErrorReason(error.guard) ? new MatrixError(error.guard) : undefined;
    case 'overloaded':
      return new MatrixError('server.overloaded', { fields: { retry_after_ms: 1000 } });
    case 'unavailable':
    case 'outcome-unknown':
      return new MatrixError('server.unavailable', { fields: { retry_after_ms: 2000 } });
    case 'disk-full':
      return new MatrixError('server.unavailable', { fields: { retry_after_ms: 30_000 } });
    default:
      return error.reason satisfies never;
  }
}

/** The refusal behind an error of a service, or `undefined` where there is none: a defect. */
export function findRefusal(error: unknown): MatrixError | undefined {
  if (error instanceof MatrixError) return error;
  return error instanceof StorageError ? fromStorage(error) : undefined;
}
