import type { PushCounts } from '@portico/protocol/push/notification.ts';
import type { Reader } from '@portico/storage';
import { countMissedCalls, readRoomsWithUnread } from '@portico/storage/stores/push/push-context.ts';
import { totalUnread, unreadCounts } from '../../unread/unread-counts.ts';

/** A call that began before that has ended or been answered: clients ring for a minute, or less. */
const longestRinging = 2 * 60_000;

/** What somebody has not read, in all rooms that they are in. Costs what is unread, not what they are in. */
export async function pushCounts(reader: Reader, userId: string, now: number): Promise<PushCounts> {
  const rooms = await readRoomsWithUnread(reader, userId);
  const [counts, missedCalls] = await Promise.all([
    unreadCounts(reader, userId, rooms),
    countMissedCalls(reader, userId, rooms, now - longestRinging),
  ]);
  let unread = 0;
  for (const room of counts.values()) unread += totalUnread(room).notificationCount;
  return { unread, missedCalls };
}
