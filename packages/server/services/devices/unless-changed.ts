import { StorageError } from '@portico/storage';

/** Each one that fails is behind one that did not; of a person's own devices there are never so many at a time. */
const mostAttempts = 100;
const guards: ReadonlySet<string | undefined> = new Set([
  'cross-signing.changed',
  'device-list.changed',
  'devices.changed',
  'dehydrated-device.changed',
]);

/** Does what changes somebody's devices or keys, and does it again where there was another change meanwhile. */
export async function unlessChanged<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      const hasChanged = error instanceof StorageError && error.reason === 'guard-failed' && guards.has(error.guard);
      if (!hasChanged || attempts === mostAttempts) throw error;
    }
  }
}
