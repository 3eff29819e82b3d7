export type StorageErrorReason = 'guard-failed' | 'overloaded' | 'unavailable' | 'disk-full' | 'outcome-unknown';

/** A write that did not happen, or whose outcome is unknown. Anything else that goes wrong is a defect, thrown as it is. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly reason: StorageErrorReason;
  /** The guard that failed, where `reason` is `guard-failed`. */
  readonly guard: string | undefined;

  constructor(reason: StorageErrorReason, message: string, options: { guard?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.guard = options.guard;
  }
}
