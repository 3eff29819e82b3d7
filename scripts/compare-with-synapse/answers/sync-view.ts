import { addEvent, putState, type RoomEvents, type StateView } from './events.ts';
import { isList, isObject, type Json, type JsonObject, objectAt, objectsAt, textAt } from './json.ts';

type RoomView = RoomEvents & {
  section: string;
  readonly accountData: Record<string, Json>;
  /** By type, person and thread. */
  readonly receipts: Record<string, Record<string, Record<string, string>>>;
  typing: readonly string[];
  unread: JsonObject;
  unreadThreads: JsonObject;
};

/** What a device knows after all that it was told by `/sync`. */
export type SyncView = {
  readonly rooms: Record<string, RoomView>;
  readonly invites: Record<string, StateView>;
  readonly knocks: Record<string, StateView>;
  readonly accountData: Record<string, Json>;
};

export function createSyncView(): SyncView {
  return { rooms: {}, invites: {}, knocks: {}, accountData: {} };
}

/** Whether the answer had anything to tell. */
export function saysSomething(body: JsonObject): boolean {
  const lists = Object.values(objectAt(body, 'rooms')).filter(
    (section) => isObject(section) && Object.keys(section).length > 0,
  );
  return lists.length > 0 || objectsAt(body['account_data'], 'events').length > 0;
}

export function applySync(view: SyncView, body: JsonObject): void {
  putContents(view.accountData, objectsAt(body['account_data'], 'events'));
  const { invite, knock, join, leave } = objectAt(body, 'rooms');
  putStripped(view.invites, invite, 'invite_state');
  putStripped(view.knocks, knock, 'knock_state');
  for (const [section, rooms] of Object.entries({ join, leave })) {
    for (const [roomId, room] of Object.entries(rooms ?? {})) applyRoom(view, section, roomId, room);
  }
}

function putContents(contents: Record<string, Json>, events: readonly JsonObject[]): void {
  for (const event of events) contents[textAt(event, 'type') ?? ''] = event['content'] ?? null;
}

function putStripped(all: Record<string, StateView>, rooms: Json | undefined, field: string): void {
  for (const [roomId, room] of Object.entries(rooms ?? {})) {
    const state: StateView = (all[roomId] = {});
    for (const event of objectsAt(objectAt(room, field), 'events')) putState(state, event);
  }
}

function applyRoom(view: SyncView, section: string, roomId: string, body: unknown): void {
  delete view.invites[roomId];
  delete view.knocks[roomId];
  const room = (view.rooms[roomId] ??= {
    section,
    timeline: [],
    state: {},
    accountData: {},
    receipts: {},
    typing: [],
    unread: {},
    unreadThreads: {},
  });
  room.section = section;
  const timeline = objectAt(body, 'timeline');
  if (timeline['limited'] === true) room.timeline = [];
  for (const event of objectsAt(objectAt(body, 'state'), 'events')) putState(room.state, event);
  for (const event of objectsAt(timeline, 'events')) {
    putState(room.state, event);
    addEvent(room, event);
  }
  putContents(room.accountData, objectsAt(objectAt(body, 'account_data'), 'events'));
  for (const { type, content } of objectsAt(objectAt(body, 'ephemeral'), 'events')) {
    const userIds = isObject(content) ? content['user_ids'] : undefined;
    if (type === 'm.typing' && isList(userIds)) room.typing = userIds.map(String).toSorted();
    if (type === 'm.receipt') putReceipts(room, content);
  }
  if (!isObject(body)) return;
  if (!isObject(body['unread_notifications'])) return;
  room.unread = body['unread_notifications'];
  // Threads that are not named have nothing unread.
  room.unreadThreads = objectAt(body, 'unread_thread_notifications');
}

function putReceipts(room: RoomView, content: unknown): void {
  if (!isObject(content)) return;
  for (const [eventId, types] of Object.entries(content)) {
    for (const [type, people] of Object.entries(types ?? {})) {
      for (const [userId, receipt] of Object.entries(people as JsonObject)) {
        const thread = textAt(receipt, 'thread_id') ?? 'unthreaded';
        ((room.receipts[type] ??= {})[userId] ??= {})[thread] = eventId;
      }
    }
  }
}
