import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { compiledDefaultRules, evaluatePush } from '@portico/protocol/push/compile-rules.ts';
import type { RoomUnread, UnreadCount } from '@portico/server/services/unread/unread-counts.ts';
import { type Reader, sql } from '@portico/storage';

type Row = {
  readonly event_nid: number;
  readonly event_id: string;
  readonly room_order: number;
  readonly type: string;
  readonly state_key: string | null;
  readonly sender: string;
  readonly content: string;
  readonly redacted_by: number | null;
  /** Needed of redacted events only: they have lost their relation. */
  readonly thread_root: string | null;
};

const selectTimeline = sql<Row, [roomNid: number]>(
  'test.recount-timeline',
  `select e.event_nid, e.event_id, e.room_order, e.type, e.state_key, e.sender, e.content, e.redacted_by,
     t.event_id as thread_root
   from events e left join events t on t.event_nid = e.thread_nid
   where e.room_nid = $1 and e.room_order is not null and e.status = 0 order by e.room_order`,
);

const selectReceipts = sql<{ thread_id: string; event_order: number }, [roomNid: number, userId: string]>(
  'test.recount-receipts',
  'select thread_id, event_order from receipts where room_nid = $1 and user_id = $2',
);

type Facts = {
  /** Whose power sufficed to mention the whole room. */
  readonly mayNotify: (userId: string) => boolean;
};

/**
 * Counts what is unread in a room the slow way, from the events and the receipts alone, for somebody who has the default
 * rules and ignores nobody. What `unreadCounts` says must be the same.
 */
export async function recountUnread(
  reader: Reader,
  userId: string,
  room: { readonly roomNid: number; readonly roomId: string },
  { mayNotify }: Facts,
): Promise<RoomUnread> {
  const events = await reader.all(selectTimeline, [room.roomNid]);
  const receipts = await reader.all(selectReceipts, [room.roomNid, userId]);
  const threadOf = new Map<string, string>();
  let left: { thread: string; highlight: boolean; order: number }[] = [];
  let joined = false;
  for (const row of events) {
    const content = parseJson(row.content);
    if (!isJsonObject(content)) throw new Error('an event without content');
    const thread = row.redacted_by === null ? threadIn(content, threadOf) : (row.thread_root ?? '');
    threadOf.set(row.event_id, thread);

    if (row.type === 'm.room.member' && row.state_key === userId) {
      const joins = content['membership'] === 'join';
      if (joins && !joined) left = [];
      joined = joins;
    } else if (row.sender === userId) {
      left = left.filter((event) => event.thread !== thread);
    }
    if (row.sender === userId || row.redacted_by !== null) continue;
    const outcome = evaluatePush(
      compiledDefaultRules,
      {
        type: row.type,
        sender: row.sender,
        roomId: room.roomId,
        stateKey: row.state_key ?? undefined,
        content,
      },
      { userId, displayName: undefined, memberCount: () => 3, mayNotify: () => mayNotify(row.sender) },
    );
    if (outcome?.notify === true) left.push({ thread, highlight: outcome.highlight, order: row.room_order });
  }
  for (const receipt of receipts) {
    left = left.filter(({ thread, order }) => {
      const reaches = receipt.thread_id === '' || receipt.thread_id === (thread === '' ? 'main' : thread);
      return !reaches || order > receipt.event_order;
    });
  }
  const countOf = (thread: string): UnreadCount => {
    const inThread = left.filter((event) => event.thread === thread);
    return {
      notificationCount: inThread.length,
      highlightCount: inThread.filter((event) => event.highlight).length,
    };
  };
  const threads = new Set(left.map((event) => event.thread).filter((thread) => thread !== ''));
  return { main: countOf(''), threads: new Map([...threads].map((thread) => [thread, countOf(thread)])) };
}

/** The root of the thread that an event is in, '' for none. `threadOf` has those of all events before. */
function threadIn(content: JsonObject, threadOf: ReadonlyMap<string, string>): string {
  const relation = content['m.relates_to'];
  const target = isJsonObject(relation) ? relation['event_id'] : undefined;
  if (!isJsonObject(relation) || typeof target !== 'string') return '';
  const ofTarget = threadOf.get(target);
  if (ofTarget === '' && relation['rel_type'] === 'm.thread') return target;
  return ofTarget ?? '';
}
