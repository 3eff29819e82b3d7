import {
  type EventSigner,
  findRoomVersion,
  hashAndSignEvent,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parsePdu,
  type ParsedPdu,
  type RoomVersionRules,
  serverNameOf,
} from '@portico/protocol';

export type MemberEventWanted = {
  readonly roomId: string;
  readonly userId: string;
  readonly membership: 'join' | 'leave' | 'knock';
  /** Further content. */
  readonly content: JsonObject;
};

type Made = {
  readonly rules: RoomVersionRules;
  /** The event as it is sent. */
  readonly pdu: JsonObject;
  readonly parsed: ParsedPdu;
};

/**
 * A membership event that follows the room's events as another server's template says. Nothing else of the template is
 * signed: what it says of type, sender, state key, room and membership is what the server wants, not what our person does.
 */
export function completeTemplate(
  template: { readonly event: JsonObject; readonly room_version?: string },
  wanted: MemberEventWanted,
  { signer, now, randomId }: { readonly signer: EventSigner; readonly now: number; readonly randomId: () => string },
): Made | undefined {
  const rules = findRoomVersion(template.room_version ?? '1');
  const { depth, prev_events: prevEvents, auth_events: authEvents, content } = template.event;
  if (rules === undefined || typeof depth !== 'number') return undefined;
  if (!Array.isArray(prevEvents) || !Array.isArray(authEvents)) return undefined;
  const authoriser = authoriserIn(rules, content, wanted);
  // Our signature would say that we have found the room's conditions to be met.
  if (authoriser !== undefined && serverNameOf(authoriser) === signer.serverName) return undefined;
  const event: { [key: string]: JsonValue } = {
    type: 'm.room.member',
    room_id: wanted.roomId,
    sender: wanted.userId,
    state_key: wanted.userId,
    content: {
      ...wanted.content,
      ...(authoriser !== undefined && { join_authorised_via_users_server: authoriser }),
      membership: wanted.membership,
    },
    depth: Math.min(depth, Number.MAX_SAFE_INTEGER),
    origin_server_ts: now,
    prev_events: prevEvents as JsonValue,
    auth_events: authEvents as JsonValue,
  };
  if (rules.event.eventId === 'explicit') event['event_id'] = `$${randomId()}:${signer.serverName}`;
  if (parsePdu(rules, { ...event, hashes: { sha256: '' }, signatures: {} }).kind === 'reject') return undefined;
  const pdu = hashAndSignEvent(rules, event, signer.serverName, signer.key);
  const parsed = parsePdu(rules, pdu);
  return parsed.kind === 'ok' ? { rules, pdu, parsed } : undefined;
}

/** Which of its people lets the person in is for the other server to say. */
function authoriserIn(
  rules: RoomVersionRules,
  content: JsonValue | undefined,
  wanted: MemberEventWanted,
): string | undefined {
  if (!rules.auth.restrictedJoins || wanted.membership !== 'join' || !isJsonObject(content)) return undefined;
  const authoriser = content['join_authorised_via_users_server'];
  return typeof authoriser === 'string' ? authoriser : undefined;
}
