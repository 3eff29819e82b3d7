import type { Database } from '@portico/storage';
import type { SyncStream } from '../sync/streams.ts';
import { readDeviceLists } from './device-lists.ts';
import type { KeyCountCache } from './key-counts.ts';

/**
 * Whose keys changed, and how many keys the device itself has left to be claimed.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#extensions-to-sync}
 */
export function createKeysStream({
  db,
  counts,
}: {
  readonly db: Database;
  readonly counts: KeyCountCache;
}): SyncStream {
  return {
    name: 'device-keys',
    isOfPeople: true,
    kinds: new Map([
      ['own_device_list', 'user'],
      ['own_membership', 'user'],
      ['device_lists', 'room'],
      ['membership', 'room'],
    ]),
    // A key that is claimed wakes nobody: what it was claimed for follows as a message to the device, which does.
    always: async ({ userId, deviceId }) => (await counts.of(userId, deviceId)).fields,
    async read({ userId, since, upTo }) {
      if (since === undefined) return {};
      const { changed, left } = await readDeviceLists(db, userId, since, upTo);
      if (changed.length === 0 && left.length === 0) return {};
      return { fields: new Map([['device_lists', JSON.stringify({ changed, left })]]) };
    },
  };
}
