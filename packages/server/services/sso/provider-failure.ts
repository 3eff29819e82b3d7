import { OutboundError } from '../outbound/outbound-error.ts';

/** What a provider has said that the library takes, and this server does not. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
  readonly code: string;

  constructor(code: string) {
    super('A provider has given an answer that is of no use');
    this.code = code;
  }
}

/** What the log says of a failure. */
export type ProviderFailure = {
  readonly reason: string;
  readonly code?: string | undefined;
  /** Of the connection. */
  readonly failure?: string;
  /** What the provider calls it: `invalid_client`. */
  readonly said?: string;
};

/** What the library says may quote what the provider sent: only what kind of failure it was is told. */
export function describeFailure(error: unknown): ProviderFailure {
  if (!(error instanceof Error)) return { reason: 'unknown' };
  const { code, error: said } = error as Error & { readonly code?: unknown; readonly error?: unknown };
  const connection = [error, error.cause].find((each) => each instanceof OutboundError);
  return {
    reason: error.name,
    ...(typeof code === 'string' && { code }),
    ...(connection !== undefined && { failure: connection.failure }),
    ...(isErrorCode(said) && { said }),
  };
}

/** Those that there are look like this: https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
export function isErrorCode(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z_]{1,40}$/.test(value);
}
