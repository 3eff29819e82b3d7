import assert from 'node:assert/strict';
import { type Database, sql } from '@portico/storage';
import { type CheckedRoom, checkRooms } from '@portico/testkit/check-rooms.ts';
import { recountUnread } from '@portico/testkit/recount-unread.ts';
import type { SyncBody } from '@portico/testkit/sync-client.ts';
import type { Person } from './person.ts';

const client = '/_matrix/client/v3';

export type UnreadCount = {
  readonly userId: string;
  readonly roomId: string;
  readonly notifications: number;
  readonly highlights: number;
};

/** Asks the server for everything it has acknowledged; returns what it says is unread. */
export async function checkAnswers(persons: readonly Person[]): Promise<readonly UnreadCount[]> {
  const counts: UnreadCount[] = [];
  for (const person of persons) {
    const { http, sent, stored } = person;
    for (const { roomId, txnId, eventId } of sent) {
      if (eventId === undefined) continue;
      const path = `${client}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${txnId}`;
      const { status, body } = await http.put(path, { msgtype: 'm.text', body: txnId });
      assert.deepEqual([status, body['event_id']], [200, eventId], `${txnId} again`);
    }
    const data = await http.get(`${client}/user/${encodeURIComponent(http.userId)}/account_data/test.crash`);
    if (stored.length > 0)
      assert.ok(stored.includes(Number(data.body['value'] ?? 0)), `account data: ${stored.join()}`);
    counts.push(...(await unreadOf(person)));
  }
  return counts;
}

async function unreadOf({ http, seen }: Person): Promise<readonly UnreadCount[]> {
  const { body } = await http.get(`${client}/sync?timeout=0`);
  return [...seen.keys()].map((roomId) => {
    const room = (body as SyncBody).rooms?.join?.[roomId];
    const { notification_count: notifications = -1, highlight_count: highlights = -1 } =
      room?.unread_notifications ?? {};
    return { userId: http.userId, roomId, notifications, highlights };
  });
}

type Message = { readonly event_id: string; readonly body: string; readonly sender: string };
const selectMessages = sql<Message, [roomId: string]>(
  'test.crash-messages',
  `select event_id, sender, content ->> 'body' as body from events
   where type = 'm.room.message' and room_nid = (select room_nid from rooms where room_id = $1)`,
);
const selectReceipts = sql<{ room_id: string; user_id: string; event_id: string }>(
  'test.crash-receipts',
  `select rooms.room_id, receipts.user_id, receipts.event_id from receipts
   join rooms on rooms.room_nid = receipts.room_nid`,
);

/** Checks what is in the database against what people were told, and its parts against each other. */
export async function checkStored(db: Database, persons: readonly Person[], counts: readonly UnreadCount[]) {
  const rooms = await checkRooms(db);
  const byId = new Map(rooms.map((room) => [room.roomId, room]));
  const all = new Set(rooms.flatMap(({ eventIds }) => eventIds));
  for (const { made } of persons) for (const eventId of made) assert.ok(all.has(eventId), `${eventId} is there`);
  await checkMessages(db, rooms, persons);
  await checkReceipts(db, byId, persons);
  for (const person of persons) checkSeen(byId, person);
  for (const { userId, roomId, notifications, highlights } of counts) {
    const room = byId.get(roomId);
    assert.ok(room);
    const { main } = await recountUnread(db, userId, room, { mayNotify: () => false });
    assert.deepEqual(
      [notifications, highlights],
      [main.notificationCount, main.highlightCount],
      `what is unread for ${userId} in ${roomId}`,
    );
  }
}

async function checkMessages(db: Database, rooms: readonly CheckedRoom[], persons: readonly Person[]): Promise<void> {
  const found = new Map<string, string>();
  for (const { roomId } of rooms) {
    for (const { event_id: eventId, body } of await db.all(selectMessages, [roomId])) {
      assert.ok(!found.has(body), `${body} became one event`);
      found.set(body, eventId);
    }
  }
  for (const { txnId, eventId } of persons.flatMap(({ sent }) => sent)) {
    if (eventId !== undefined) assert.equal(found.get(txnId), eventId, `the event of ${txnId}`);
  }
}

async function checkReceipts(
  db: Database,
  rooms: ReadonlyMap<string, CheckedRoom>,
  persons: readonly Person[],
): Promise<void> {
  const rows = await db.all(selectReceipts, []);
  for (const { http, receipts } of persons) {
    for (const [roomId, marked] of receipts) {
      const row = rows.find((each) => each.room_id === roomId && each.user_id === http.userId);
      const acknowledged = marked.find((each) => each.acknowledged);
      if (acknowledged === undefined) continue;
      const order = (eventId: string | undefined) => rooms.get(roomId)?.eventIds.indexOf(eventId ?? '') ?? -1;
      assert.ok(order(row?.event_id) >= order(acknowledged.eventId), `the receipt of ${http.userId} in ${roomId}`);
    }
  }
}

/** Whoever synced all along saw every event from the first one they saw, once and in order. */
function checkSeen(rooms: ReadonlyMap<string, CheckedRoom>, { http, seen }: Person): void {
  for (const [roomId, events] of seen) {
    const eventIds = rooms.get(roomId)?.eventIds ?? [];
    const ids = events.map((event) => event.event_id);
    const start = eventIds.indexOf(ids[0] ?? '');
    assert.deepEqual(ids, eventIds.slice(start), `what ${http.userId} saw of ${roomId}`);
  }
}
