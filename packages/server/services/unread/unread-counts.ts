import type { Reader } from '@portico/storage';
import { readUnreadDetails, readUnreadRooms, type UnreadDetails } from '@portico/storage/stores/unread/unread-read.ts';
import { countUnread, modeStarts, type UnreadCount } from './counts.ts';

export type { UnreadCount } from './counts.ts';

/** What is unread in a room, counted apart outside its threads and in each thread where anything is. */
export type RoomUnread = {
  /** Outside threads. */
  readonly main: UnreadCount;
  /** By the ID of the thread's root. */
  readonly threads: ReadonlyMap<string, UnreadCount>;
};

const noThreads: ReadonlyMap<string, UnreadCount> = new Map();
const zero: UnreadCount = Object.freeze({ notificationCount: 0, highlightCount: 0 });
export const nothingUnread: RoomUnread = Object.freeze({ main: zero, threads: noThreads });

/**
 * What is unread in rooms that somebody is joined to. One query if nothing but plain messages is; at most six, however
 * many the rooms are.
 */
export async function unreadCounts(
  reader: Reader,
  userId: string,
  roomNids: readonly number[],
): Promise<ReadonlyMap<number, RoomUnread>> {
  const counts = new Map<number, RoomUnread>(roomNids.map((roomNid) => [roomNid, nothingUnread]));
  const rooms = await readUnreadRooms(reader, userId, roomNids);
  const details = await readUnreadDetails(reader, userId, rooms);
  const byRoom = groupDetails(details);
  for (const { room_nid: roomNid, ordinal, read_ordinal: read } of rooms) {
    const { threads, exceptions, modes } = byRoom(roomNid);
    const main = countUnread(
      { read, head: ordinal },
      modeStarts(modes),
      exceptions.filter((row) => row.thread_nid === 0),
    );
    const unreadThreads = new Map<string, UnreadCount>();
    for (const thread of threads) {
      const count = countUnread(
        { read: Math.max(thread.read_ordinal, thread.passed_ordinal), head: thread.ordinal },
        modeStarts(modes, modes.length === 0 ? undefined : details.threadModes.filter(isOf(thread.thread_nid))),
        exceptions.filter(isOf(thread.thread_nid)),
      );
      if (count.notificationCount > 0 || count.highlightCount > 0) unreadThreads.set(thread.root_id, count);
    }
    counts.set(roomNid, { main, threads: unreadThreads.size === 0 ? noThreads : unreadThreads });
  }
  return counts;
}

function isOf(threadNid: number): (row: { readonly thread_nid: number }) => boolean {
  return (row) => row.thread_nid === threadNid;
}

function groupDetails({ threads, exceptions, modes }: UnreadDetails) {
  const threadsOf = Map.groupBy(threads, (row) => row.room_nid);
  const exceptionsOf = Map.groupBy(exceptions, (row) => row.room_nid);
  const modesOf = Map.groupBy(modes, (row) => row.room_nid);
  return (roomNid: number) => ({
    threads: threadsOf.get(roomNid) ?? [],
    exceptions: exceptionsOf.get(roomNid) ?? [],
    modes: modesOf.get(roomNid) ?? [],
  });
}

/** For clients that do not ask for threads: "the total number of unread notifications for this room". */
export function totalUnread({ main, threads }: RoomUnread): UnreadCount {
  let { notificationCount, highlightCount } = main;
  for (const count of threads.values()) {
    notificationCount += count.notificationCount;
    highlightCount += count.highlightCount;
  }
  return { notificationCount, highlightCount };
}
