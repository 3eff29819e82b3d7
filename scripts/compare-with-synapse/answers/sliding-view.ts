import { addEvent, putState, type RoomEvents, type StateView } from './events.ts';
import { isObject, type Json, type JsonObject, objectAt, objectsAt } from './json.ts';

const mostEvents = 20;

/** What is told of a room besides its events. */
const facts = ['name', 'avatar', 'is_dm', 'membership', 'joined_count', 'invited_count', 'heroes'];

type SlidingRoom = RoomEvents & { invite?: StateView; facts: Record<string, Json> };

/** What a device knows after all that it was told by simplified sliding sync. */
export type SlidingView = { readonly rooms: Record<string, SlidingRoom>; count: Json };

export function createSlidingView(): SlidingView {
  return { rooms: {}, count: 0 };
}

const few = [
  ...['create', 'name', 'topic', 'encryption', 'power_levels'].map((name) => [`m.room.${name}`, '']),
  ['m.room.member', '$LAZY'],
  ['m.room.member', '$ME'],
  ['m.space.child', '*'],
];

/** What a device asks for: each of somebody's devices something else. */
export function slidingRequest(deviceId: string): JsonObject {
  const list = {
    ranges: [[0, mostEvents - 1]],
    timeline_limit: mostEvents,
    required_state: deviceId === 'D1' ? [['*', '*']] : few,
    ...(deviceId === 'D2' && { filters: { is_encrypted: false } }),
  };
  const extensions = { account_data: { enabled: true }, receipts: { enabled: true }, typing: { enabled: true } };
  return { conn_id: 'main', lists: { all: list }, extensions };
}

export function applySliding(view: SlidingView, body: JsonObject): void {
  view.count = objectAt(objectAt(body, 'lists'), 'all')['count'] ?? 0;
  for (const [roomId, told] of Object.entries(objectAt(body, 'rooms'))) {
    if (!isObject(told)) continue;
    if (told['initial'] === true) delete view.rooms[roomId];
    applyRoom((view.rooms[roomId] ??= { state: {}, timeline: [], facts: {} }), told);
  }
}

function applyRoom(room: SlidingRoom, told: JsonObject): void {
  if (told['limited'] === true) room.timeline = [];
  for (const event of objectsAt(told, 'required_state')) putState(room.state, event);
  for (const event of objectsAt(told, 'timeline')) addEvent(room, event);
  room.timeline = room.timeline.slice(-mostEvents);
  const stripped = [...objectsAt(told, 'invite_state'), ...objectsAt(told, 'stripped_state')];
  if (stripped.length > 0) {
    const invite: StateView = (room.invite = {});
    for (const event of stripped) putState(invite, event);
  } else if ('membership' in told) delete room.invite;
  for (const name of facts) {
    const fact = told[name];
    if (fact === null) delete room.facts[name];
    else if (fact !== undefined) room.facts[name] = fact;
  }
}
