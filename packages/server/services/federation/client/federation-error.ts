import type { JsonObject } from '@portico/protocol';
import type { OutboundFailure } from '../../outbound/outbound-error.ts';

export type FederationFailure =
  | OutboundFailure
  /** The server has answered with an error: `refusal` says which. */
  | 'refused'
  /** What it has answered is not what it was asked for. */
  | 'bad-answer'
  /** This server does not talk to that one, or to any. */
  | 'disabled';

/** What another server has answered instead of what was wanted. */
export type Refusal = {
  readonly status: number;
  /** `undefined` where it gave none. */
  readonly errcode: string | undefined;
  readonly error: string | undefined;
  /** All of the error object, empty where there is none. */
  readonly body: JsonObject;
  /** In milliseconds, where it asked for patience. */
  readonly retryAfter: number | undefined;
};

/** A request to another server has not led to what it was for. */
export class FederationError extends Error {
  override readonly name = 'FederationError';
  readonly failure: FederationFailure;
  readonly refusal: Refusal | undefined;

  constructor(
    failure: FederationFailure,
    message: string,
    options: ErrorOptions & { readonly refusal?: Refusal } = {},
  ) {
    super(message, options);
    this.failure = failure;
    this.refusal = options.refusal;
  }
}
