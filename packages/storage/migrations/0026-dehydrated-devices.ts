import type { Migration } from './migration.ts';

/** Devices that take messages for people who are logged in nowhere. */
export const dehydratedDevices: Migration = {
  version: 26,
  name: 'dehydrated-devices',
  statements: [
    /* data: the device itself as JSON, encrypted by the client. */
    `create table dehydrated_devices (
      user_id text not null primary key,
      device_id text not null,
      data text not null
    ) /* sqlite: without rowid */`,
  ],
};
