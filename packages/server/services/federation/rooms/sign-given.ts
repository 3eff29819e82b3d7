import { type EventSigner, type JsonObject, parsePdu, type RoomVersionRules, signEvent } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';

/** An event as another server gave it, signed by this one too. Throws `request.invalid-param` for what no event can be. */
export function signGiven(rules: RoomVersionRules, given: JsonObject, { serverName, key }: EventSigner): JsonObject {
  const parsed = parsePdu(rules, given);
  if (parsed.kind === 'reject') throw new MatrixError('request.invalid-param', { message: `${parsed.reason}.` });
  return signEvent(rules, given, serverName, key);
}
