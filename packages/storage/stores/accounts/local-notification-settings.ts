import type { PositionParam, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** Account data in which the settings of a device's own notifications are kept, each followed by the device's ID. */
const prefixes = ['m.local_notification_settings.', 'org.matrix.msc3890.local_notification_settings.'];

const deleteSettings = sql<void, [userId: string, types: string, position: PositionParam]>(
  'account-data.delete-local-notification-settings',
  `update account_data set content = '{}', stream_position = position($3)
   where user_id = $1 and room_id = '' and content <> '{}'
     and type in (select value from json_each(cast($2 as text)))`,
);

/**
 * Settings for a device mean nothing once it is gone.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3890}
 */
export function deleteLocalNotificationSettings(set: WriteSet, userId: string, deviceIds: readonly string[]): void {
  if (deviceIds.length === 0) return;
  const types = deviceIds.flatMap((deviceId) => prefixes.map((prefix) => prefix + deviceId));
  set.add(deleteSettings, [userId, JSON.stringify(types), set.takePosition()]);
  set.change('account_data', userId);
}
