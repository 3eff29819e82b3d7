import { isJsonObject, type JsonValue, parseJson } from '@portico/protocol';

/**
 * What somebody is shown of a room, as a JSON array of stripped state, where the person who invited them was erased since: of
 * memberships by that person, what a redaction would leave. The rest is the room's.
 */
export function withoutInviterProfile(events: string, inviter: string): string {
  const list = parseJson(events, 'lenient');
  return Array.isArray(list) ? JSON.stringify(list.map((event: JsonValue) => redacted(event, inviter))) : events;
}

function redacted(event: JsonValue, inviter: string): JsonValue {
  if (!isJsonObject(event) || event['type'] !== 'm.room.member' || event['sender'] !== inviter) return event;
  const content = event['content'];
  const membership = isJsonObject(content) ? content['membership'] : undefined;
  return { ...event, content: membership === undefined ? {} : { membership } };
}
