import { StorageError } from '@portico/storage';

/** Whether a commit failed because something it relied on no longer held. */
export function isGuardFailure(error: unknown, guard: string): boolean {
  return error instanceof StorageError && error.reason === 'guard-failed' && error.guard === guard;
}
