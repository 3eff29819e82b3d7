import { isJsonObject, type JsonObject, type JsonValue } from '@portico/protocol/json/value.ts';
import { listOf, objectOf, objectsOf, textOf } from '../server/json.ts';
import type { RoomInfo } from './room-info.ts';

type StateEvent = { readonly type: string; readonly state_key: string; readonly content: JsonObject };

/** A name with nothing in it is none. */
function wordsOf(value: JsonValue | undefined): string | undefined {
  const text = textOf(value);
  return text === undefined || text.trim() === '' ? undefined : text;
}

function isStateEvent(value: JsonValue): value is JsonObject & StateEvent {
  return (
    isJsonObject(value) &&
    typeof value['type'] === 'string' &&
    typeof value['state_key'] === 'string' &&
    isJsonObject(value['content'])
  );
}

/** The last word of a room on each subject. */
function stateOf(parts: readonly JsonObject[]): Map<string, JsonObject> {
  const state = new Map<string, JsonObject>();
  for (const part of parts) {
    for (const event of listOf(part['events'])) {
      if (isStateEvent(event)) state.set(`${event.type} ${event.state_key}`, event.content);
    }
  }
  return state;
}

/** What a sync says of the rooms that one is in, and of those that one is invited to. */
export function readRooms(answer: JsonObject): readonly RoomInfo[] {
  const direct = directRooms(answer);
  const rooms = objectOf(answer['rooms']);
  return Object.entries(objectOf(rooms['join'])).map(([id, room]) => {
    const state = stateOf([objectOf(objectOf(room)['state']), objectOf(objectOf(room)['state_after'])]);
    return describe(id, state, direct.has(id), objectOf(objectOf(room)['summary']));
  });
}

/** The names of the rooms that one is invited to, as their servers say. */
export function readInvitedNames(answer: JsonObject): ReadonlyMap<string, string> {
  const invited = Object.entries(objectOf(objectOf(answer['rooms'])['invite']));
  return new Map(
    invited.flatMap(([id, room]) => {
      const state = stateOf([objectOf(objectOf(room)['invite_state'])]);
      const name =
        wordsOf(state.get('m.room.name ')?.['name']) ?? wordsOf(state.get('m.room.canonical_alias ')?.['alias']);
      return name === undefined ? [] : [[id, name] as const];
    }),
  );
}

function directRooms(answer: JsonObject): ReadonlySet<JsonValue> {
  const events = objectsOf(objectOf(answer['account_data'])['events']);
  const direct = events.find(({ type }) => type === 'm.direct');
  return new Set(Object.values(objectOf(direct?.['content'])).flatMap(listOf));
}

function describe(
  id: string,
  state: ReadonlyMap<string, JsonObject>,
  isDirect: boolean,
  summary: JsonObject,
): RoomInfo {
  const alias = wordsOf(state.get('m.room.canonical_alias ')?.['alias']);
  const isSpace = wordsOf(state.get('m.room.create ')?.['type']) === 'm.space';
  const isPublic = wordsOf(state.get('m.room.join_rules ')?.['join_rule']) === 'public';
  return {
    id,
    alias,
    name: wordsOf(state.get('m.room.name ')?.['name']) ?? alias ?? nameByPeople(state, summary),
    kind: isSpace ? 'space' : isDirect ? 'direct' : isPublic ? 'public' : 'private',
    replacement: wordsOf(state.get('m.room.tombstone ')?.['replacement_room']),
    children: [...state]
      // "the child room is not considered a part of the space" without `via`.
      .filter(([key, content]) => key.startsWith('m.space.child ') && Array.isArray(content['via']))
      .map(([key]) => key.slice('m.space.child '.length)),
  };
}

/** {@link https://spec.matrix.org/v1.19/client-server-api/#calculating-the-display-name-for-a-room} */
function nameByPeople(state: ReadonlyMap<string, JsonObject>, summary: JsonObject): string {
  const heroes = listOf(summary['m.heroes']).filter((hero) => typeof hero === 'string');
  const names = heroes.map((hero) => wordsOf(state.get(`m.room.member ${hero}`)?.['displayname']) ?? hero);
  const { 'm.joined_member_count': joined, 'm.invited_member_count': invited } = summary;
  const others =
    (typeof joined === 'number' ? joined : 1) + (typeof invited === 'number' ? invited : 0) - 1 - names.length;
  if (names.length === 0) return 'A room without a name';
  const last = others > 0 ? `${others} more` : names.pop();
  return names.length === 0 ? (last ?? '') : `${names.join(', ')} and ${last}`;
}
