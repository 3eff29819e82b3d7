import type { Migration } from './migration.ts';

/** How long a device's queue is, without counting it for each message. */
export const toDeviceOrdinals: Migration = {
  version: 39,
  name: 'to-device-ordinals',
  statements: [
    /* One more than that of the message before it in the queue of the same device. */
    'alter table to_device_messages add column ordinal bigint not null default 0',
  ],
};
