export type OutboundFailure =
  /** Nothing is known under the name. */
  | 'unknown-host'
  /** It is known under addresses only that this server must not connect to. */
  | 'private-address'
  | 'unreachable'
  /** Somebody is there who cannot prove to be the one we want. */
  | 'tls'
  | 'timeout'
  /** The answer is longer than we read, packed so that its length cannot be told, or in too many pieces. */
  | 'too-large'
  /** What came is not HTTP, or broke off. */
  | 'broken'
  /** Too much waits for this destination already. */
  | 'busy'
  | 'aborted';

/** A request of ours got no answer that we could read. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly failure: OutboundFailure;

  constructor(failure: OutboundFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}
