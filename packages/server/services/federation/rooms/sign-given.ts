import { type EventSigner, type JsonObject, parsePdu, type RoomVersionRules, signEvent } from '@portico/protocol';
import { refuseUnchecked } from './refuse-event.ts';

/** An event as another server gave it, signed by this one too. Throws for what no event can be. */
export function signGiven(rules: RoomVersionRules, given: JsonObject, { serverName, key }: EventSigner): JsonObject {
  const parsed = parsePdu(rules, given);
  if (parsed.kind === 'reject') refuseUnchecked({ reason: parsed.reason, isBadJson: parsed.rule === 'pdu.json' });
  return signEvent(rules, given, serverName, key);
}
