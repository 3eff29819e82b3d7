import { isObject, type JsonObject, objectAt, textAt } from './json.ts';

/** The state of a room, by type and state key. */
export type StateView = Record<string, Record<string, JsonObject>>;

export type RoomEvents = { timeline: JsonObject[]; readonly state: StateView };

export function putState(state: StateView, event: JsonObject): void {
  const { type, state_key: key } = event;
  if (typeof type !== 'string' || typeof key !== 'string') return;
  (state[type] ??= {})[key] = outlined(event);
}

/** Adds what came in a timeline, as clients do: it may redact what is there already. */
export function addEvent(room: RoomEvents, event: JsonObject): void {
  room.timeline.push(outlined(event));
  if (event['type'] !== 'm.room.redaction' || isRedacted(event)) return;
  const target = textAt(event, 'redacts') ?? textAt(event['content'], 'redacts');
  room.timeline = room.timeline.map((each) => (each['event_id'] === target ? withoutContent(each) : each));
  for (const ofType of Object.values(room.state)) {
    for (const [key, each] of Object.entries(ofType)) {
      if (each['event_id'] === target) ofType[key] = withoutContent(each);
    }
  }
}

const isRedacted = (event: JsonObject): boolean => isObject(objectAt(event, 'unsigned')['redacted_because']);

/** What was redacted came with all of its content to whoever saw it before: servers are compared by what they leave of it elsewhere. */
function outlined(event: JsonObject): JsonObject {
  return isRedacted(event) ? withoutContent(event) : event;
}

function withoutContent(event: JsonObject): JsonObject {
  const { event_id: id, type, sender, state_key: key } = event;
  return Object.fromEntries(
    Object.entries({ event_id: id, type, sender, state_key: key, redacted: true }).filter(
      (entry): entry is [string, string | true] => entry[1] !== undefined,
    ),
  );
}
