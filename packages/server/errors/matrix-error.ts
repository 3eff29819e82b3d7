import type { JsonValue } from '@portico/protocol';
import { errorTable, type ErrorReason } from './table.ts';

type Options = {
  /** Instead of the reason's default message. Shown to people, so it holds nothing secret. */
  readonly message?: string;
  /** Further fields of the error object, such as `retry_after_ms`. */
  readonly fields?: { readonly [name: string]: JsonValue };
};

/** A refusal that the client is told about. Services name the reason; HTTP finds the rest in the table. */
export class MatrixError extends Error {
  override readonly name = 'MatrixError';
  readonly reason: ErrorReason;
  readonly fields: Options['fields'];

  constructor(reason: ErrorReason, options: Options = {}) {
    super(options.message ?? errorTable[reason].message);
    this.reason = reason;
    this.fields = options.fields;
  }
}
