import type { JsonValue } from '@portico/protocol';
import { findRefusal } from '../errors/from-storage.ts';
import { MatrixError } from '../errors/matrix-error.ts';
import { errorTable, type ErrorEntry, type ErrorReason } from '../errors/table.ts';

export type ErrorResponse = {
  readonly status: number;
  readonly body: {
    readonly errcode?: JsonValue;
    readonly error?: JsonValue;
    readonly [field: string]: JsonValue | undefined;
  };
  /** In seconds. */
  readonly retryAfter: number | undefined;
  /** Whether this is a defect of ours that the log must show. */
  readonly isDefect: boolean;
};

/** What Fastify itself refuses, by its error codes. */
const fastifyReasons: Readonly<Record<string, ErrorReason>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'request.too-large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'request.bad-http',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'request.not-json',
  FST_ERR_BAD_URL: 'request.bad-url',
  FST_ERR_MAX_PARAM_LENGTH: 'request.bad-url',
};

function toMatrixError(error: unknown): MatrixError | undefined {
  const refusal = findRefusal(error);
  if (refusal) return refusal;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const reason = typeof code === 'string' ? fastifyReasons[code] : undefined;
  return reason && new MatrixError(reason);
}

/** The only place that knows which HTTP status an error has. */
export function errorResponse(error: unknown): ErrorResponse {
  const known = toMatrixError(error);
  const { errcode, status }: ErrorEntry = errorTable[known?.reason ?? 'server.internal'];
  const wait = known?.fields?.['retry_after_ms'];
  return {
    status,
    body: {
      ...(errcode === undefined ? {} : { errcode, error: known?.message ?? errorTable['server.internal'].message }),
      ...known?.fields,
    },
    retryAfter: typeof wait === 'number' ? Math.ceil(wait / 1000) : undefined,
    isDefect: known === undefined,
  };
}
