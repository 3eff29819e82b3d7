import { MatrixError } from '../../errors/matrix-error.ts';

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const full: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

/** A disk that takes no more is a reason to come back later; what else goes wrong with files is a defect. */
export function fromDiskError(error: unknown): unknown {
  if (!full.has(errorCode(error) ?? '')) return error;
  return new MatrixError('server.unavailable', { fields: { retry_after_ms: 30_000 } });
}
