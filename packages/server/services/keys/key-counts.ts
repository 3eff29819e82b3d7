import { emptyJsonObject } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { countKeys } from '@portico/storage/stores/devices/one-time-keys.ts';
import { createSmallCache } from '../reading/small-cache.ts';

export type KeyCounts = {
  /** How many one-time keys wait, by algorithm. */
  readonly waiting: { readonly [algorithm: string]: number };
  /** The same, and the algorithms of fallback keys that nobody was given yet, as fields of a sync response in JSON. */
  readonly fields: ReadonlyMap<string, string>;
};

export interface KeyCountCache {
  of(userId: string, deviceId: string): Promise<KeyCounts>;
  close(): void;
}

const maxUsers = 20_000;

/** Every sync response says how many keys a device has left, so the answer is kept until they change. */
export function createKeyCounts(db: Database): KeyCountCache {
  const known = createSmallCache<string, Map<string, Promise<KeyCounts>>>(maxUsers);
  const stop = db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) if (kind === 'one_time_keys') known.delete(String(key));
    }
  });

  async function read(userId: string, deviceId: string): Promise<KeyCounts> {
    const waiting = emptyJsonObject() as { [algorithm: string]: number };
    const unused: string[] = [];
    for (const row of await countKeys(db, userId, deviceId)) {
      if (row.unused === 1) unused.push(row.algorithm);
      else waiting[row.algorithm] = row.waiting;
    }
    // "If the algorithm is not listed, the count is assumed to be zero": some clients want to read the zero.
    waiting['signed_curve25519'] ??= 0;
    const algorithms = JSON.stringify(unused.toSorted());
    const fields = new Map([
      ['device_one_time_keys_count', JSON.stringify(waiting)],
      ['device_unused_fallback_key_types', algorithms],
      ['org.matrix.msc2732.device_unused_fallback_key_types', algorithms],
    ]);
    return { waiting, fields };
  }

  return {
    async of(userId, deviceId) {
      let devices = known.get(userId);
      if (devices === undefined) {
        devices = new Map();
        known.set(userId, devices);
      }
      let counts = devices.get(deviceId);
      if (counts === undefined) {
        counts = read(userId, deviceId);
        devices.set(deviceId, counts);
        const kept = devices;
        counts.catch(() => kept.delete(deviceId));
      }
      return counts;
    },
    close: stop,
  };
}
