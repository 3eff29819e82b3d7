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

/** The database cannot be used: it does not answer, lets nobody in, or is no database. The message is that of its driver. */
export class DatabaseOpenError extends Error {
  override readonly name = 'DatabaseOpenError';
}
