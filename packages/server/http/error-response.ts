import type { JsonValue } from '@portico/protocol';
import { findRefusal } from '../errors/from-storage.ts';
import { MatrixError } from '../errors/matrix-error.ts';
import type { ErrorEntry } from '../errors/error-entry.ts';
import { errorTable, type ErrorReason } from '../errors/table.ts';

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

/** For people who have reached a limit of their account, where the operator has no page for them. */
const aboutErrors = 'https://spec.matrix.org/v1.19/client-server-api/#common-error-codes';

/** The only place that knows which HTTP status an error has. */
export function errorResponse(error: unknown, helpPage = aboutErrors): ErrorResponse {
  const known = toMatrixError(error);
  const { errcode, oauth, status }: ErrorEntry = errorTable[known?.reason ?? 'server.internal'];
  const message = known?.message ?? errorTable['server.internal'].message;
  const wait = known?.fields?.['retry_after_ms'];
  return {
    status,
    body: {
      ...(errcode !== undefined && { errcode, error: message }),
      ...(oauth !== undefined && { error: oauth, error_description: message }),
      // "The error response MUST have an `info_uri` field (string), which is a URI that the client can present to the user".
      ...(errcode === 'M_USER_LIMIT_EXCEEDED' && { info_uri: helpPage }),
      ...known?.fields,
    },
    retryAfter: typeof wait === 'number' ? Math.ceil(wait / 1000) : undefined,
    isDefect: known === undefined,
  };
}
