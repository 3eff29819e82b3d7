import { addEvent, putState, type RoomEvents, type StateView } from './events.ts';
import { isList, isObject, type Json, type JsonObject, objectAt, objectsAt, textAt } from './json.ts';

type RoomView = RoomEvents & {
  section: string;
  readonly accountData: Record<string, Json>;
  /** By type, person and thread. */
  readonly receipts: Record<string, Record<string, Record<string, string>>>;
  /** `null` until something is said of it. */
  typing: readonly string[] | null;
  unread: JsonObject;
  unreadThreads: JsonObject;
};

/** What a device knows after all that it was told by `/sync`. */
export type SyncView = {
  readonly rooms: Record<string, RoomView>;
  readonly invites: Record<string, StateView>;
  readonly knocks: Record<string, StateView>;
  readonly accountData: Record<string, Json>;
  readonly toDevice: JsonObject[];
  /** What is left of the keys that the device has given to the server for others. */
  keys: JsonObject;
  /** Whether it is past the first answer. */
  hasBegun: boolean;
  /** By person, what was last said of their devices. */
  readonly deviceLists: Record<string, 'changed' | 'left'>;
};

export function createSyncView(): SyncView {
  return {
    rooms: {},
    invites: {},
    knocks: {},
    accountData: {},
    toDevice: [],
    keys: {},
    deviceLists: {},
    hasBegun: false,
  };
}

/** Whether the answer had anything to tell. */
export function saysSomething(body: JsonObject): boolean {
  const lists = Object.values(objectAt(body, 'rooms')).filter(
    (section) => isObject(section) && Object.keys(section).length > 0,
  );
  return lists.length > 0 || ['account_data', 'to_device'].some((name) => objectsAt(body[name], 'events').length > 0);
}

export function applySync(view: SyncView, body: JsonObject): void {
  putContents(view.accountData, objectsAt(body['account_data'], 'events'));
  view.toDevice.push(...objectsAt(body['to_device'], 'events'));
  view.keys = {
    counts: objectAt(body, 'device_one_time_keys_count'),
    unusedFallback: body['device_unused_fallback_key_types'] ?? null,
  };
  putDeviceLists(view, body);
  const { invite, knock, join, leave } = objectAt(body, 'rooms');
  putStripped(view.invites, invite, 'invite_state');
  putStripped(view.knocks, knock, 'knock_state');
  for (const [section, rooms] of Object.entries({ join, leave })) {
    for (const [roomId, room] of Object.entries(rooms ?? {})) applyRoom(view, section, roomId, room);
  }
  view.hasBegun = true;
}

/**
 * Synapse names everybody of whom a room that is joined has a new member event, be they only invited or called otherwise, or in
 * another room of the person's all along. Whoever shares a first room is named by both.
 */
function putDeviceLists(view: SyncView, body: JsonObject): void {
  const joined = Object.values(view.rooms).filter(({ section }) => section === 'join');
  const sharedBefore = new Set(
    joined.flatMap(({ state }) =>
      Object.entries(state['m.room.member'] ?? {}).flatMap(([userId, { content }]) =>
        textAt(content, 'membership') === 'join' ? [userId] : [],
      ),
    ),
  );
  const [named, came] = [new Set<string>(), new Set<string>()];
  for (const room of Object.values(objectAt(objectAt(body, 'rooms'), 'join'))) {
    const events = ['state', 'timeline'].flatMap((part) => objectsAt(objectAt(room, part), 'events'));
    for (const { type, state_key: key, content, unsigned } of events) {
      if (type !== 'm.room.member' || typeof key !== 'string') continue;
      named.add(key);
      const before = textAt(objectAt(unsigned, 'prev_content'), 'membership');
      if (textAt(content, 'membership') === 'join' && before !== 'join') came.add(key);
    }
  }
  const isNoise = (userId: string): boolean => named.has(userId) && (sharedBefore.has(userId) || !came.has(userId));
  for (const what of ['changed', 'left'] as const) {
    const people = objectAt(body, 'device_lists')[what];
    for (const userId of isList(people) ? people.map(String) : []) {
      // With Synapse also who came and went in between.
      if (what === 'left' ? sharedBefore.has(userId) : !isNoise(userId)) view.deviceLists[userId] = what;
    }
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
  const isKnown = roomId in view.rooms;
  const room = (view.rooms[roomId] ??= {
    section,
    timeline: [],
    state: {},
    accountData: {},
    receipts: {},
    typing: null,
    unread: {},
    unreadThreads: {},
  });
  // Synapse does not tell those who come what others have read before.
  const isNew = view.hasBegun && section === 'join' && (!isKnown || room.section !== 'join');
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
    if (type === 'm.receipt' && !isNew) putReceipts(room, content);
  }
  if (!isObject(body)) return;
  if (!isObject(body['unread_notifications'])) return;
  room.unread = body['unread_notifications'];
  // Threads that are not named have nothing unread.
  room.unreadThreads = objectAt(body, 'unread_thread_notifications');
}

/**
 * Receipts but for those in a thread of an event that the person has also read without: there is place for one of a type in what is
 * told of an event, and with Synapse for one of any type.
 */
export function plainReceipts(receipts: RoomView['receipts']): RoomView['receipts'] {
  const read = new Set<string>();
  for (const people of Object.values(receipts)) {
    for (const [userId, { unthreaded }] of Object.entries(people)) if (unthreaded) read.add(`${userId} ${unthreaded}`);
  }
  const plain: RoomView['receipts'] = {};
  for (const [type, people] of Object.entries(receipts)) {
    for (const [userId, threads] of Object.entries(people)) {
      const told = Object.entries(threads).filter(
        ([thread, eventId]) => thread === 'unthreaded' || !read.has(`${userId} ${eventId}`),
      );
      if (told.length > 0) (plain[type] ??= {})[userId] = Object.fromEntries(told);
    }
  }
  return plain;
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
