import type { SyncStream } from '../streams.ts';

/** What clients expect to be told about their keys while there is nothing to tell. */
export const noDeviceKeys: SyncStream = {
  name: 'device-keys',
  kinds: new Map(),
  defaults: new Map([
    ['device_one_time_keys_count', '{}'],
    ['device_unused_fallback_key_types', '[]'],
    ['org.matrix.msc2732.device_unused_fallback_key_types', '[]'],
  ]),
  read: () => Promise.resolve({}),
};
