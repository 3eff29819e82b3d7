import type { Migration } from './migration.ts';

/** Who has how much of a long queue of messages to a device, and one-time keys in their order, without reading the others. */
export const fairQueues: Migration = {
  version: 40,
  name: 'fair-queues',
  statements: [
    /*
     * Of messages that came when many were waiting, and null of the others: the sender's server, and its ordinal among those
     * of the same server, and of the same sender, in the queue of the same device.
     */
    'alter table to_device_messages add column server text',
    'alter table to_device_messages add column server_ordinal bigint',
    'alter table to_device_messages add column sender_ordinal bigint',
    `create index to_device_by_server on to_device_messages (user_id, device_id, server, server_ordinal)
      where server is not null`,
    `create index to_device_by_sender on to_device_messages (user_id, device_id, sender, sender_ordinal)
      where server is not null`,

    'create index one_time_keys_in_order on one_time_keys (user_id, device_id, algorithm, position, key_id)',
  ],
};
