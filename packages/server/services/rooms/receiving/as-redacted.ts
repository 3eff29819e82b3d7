import {
  parseJson,
  type JsonObject,
  type Pdu,
  redactPdu,
  type RoomVersionRules,
  splitPdu,
  toRoomEvent,
} from '@portico/protocol';
import type { ReceivedEvent } from './received-event.ts';

/**
 * What a redaction leaves of an event, which somebody gives as it was before: nothing may follow from what it no longer says. Of
 * a redaction it is still known what that redacts.
 */
export function asRedacted<T extends ReceivedEvent>(rules: RoomVersionRules, received: T): T {
  const { event, pieces } = received;
  const pdu = parseJson(pieces.before + pieces.content + pieces.after, 'lenient') as JsonObject;
  const left = redactPdu(rules, pdu);
  return {
    ...received,
    event: { ...toRoomEvent(rules, left as Pdu, event.eventId, { rejected: event.rejected }), redacts: event.redacts },
    pieces: splitPdu(left, rules.canonicalJson),
  };
}
