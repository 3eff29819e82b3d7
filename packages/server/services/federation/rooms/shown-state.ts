import {
  checkCreateEvent,
  encodeCanonical,
  isJsonObject,
  type JsonValue,
  parsePdu,
  parseStrippedStateEvent,
  type RoomEvent,
  type RoomVersionRules,
  type StrippedStateEvent,
  toRoomEvent,
} from '@portico/protocol';
import { maxShownLength, strippedEvent } from '../../rooms/stripped-state.ts';
import type { CheckPdus } from './check-pdus.ts';

/** Of what a server says of its room, so much is kept: each client of the person gets all of it. */
const maxEvents = 50;
export const maxToldLength = maxShownLength;

export type ToldRoom = { readonly rules: RoomVersionRules; readonly roomId: string };

/** What of a server's words about its room may be shown to a person. */
export type FilterToldState = (room: ToldRoom, told: readonly JsonValue[]) => Promise<readonly StrippedStateEvent[]>;

/**
 * Leaves out what is malformed, belongs to another room or is not what its server signed. Stripped events, which older
 * servers send, have nothing of that to check, except where the room ID itself vouches for the create event.
 *
 * > Entries which are improperly signed or formatted SHOULD be removed by the server prior to supplying them over the
 * > Client-Server API.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1send_knockroomideventid}
 */
export function createFilterToldState(checkPdus: CheckPdus): FilterToldState {
  async function ofPdu({ rules, roomId }: ToldRoom, value: JsonValue): Promise<StrippedStateEvent | undefined> {
    // Older rooms' servers may be long gone, and with them the keys; what they say is worth no more than a stripped event.
    const parsed = parsePdu(rules, value);
    if (parsed.kind === 'reject') return undefined;
    const unchecked = toRoomEvent(rules, parsed.pdu, parsed.eventId, { rejected: false });
    if (unchecked.roomId !== roomId) return undefined;
    if (rules.event.roomId !== 'create-event') return parseStrippedStateEvent(parsed.pdu as JsonValue);
    const [checked] = await checkPdus(rules, [value]);
    return checked?.kind === 'ok' ? parseStrippedStateEvent(checked.pdu as JsonValue) : undefined;
  }

  async function filter(room: ToldRoom, value: JsonValue): Promise<StrippedStateEvent | undefined> {
    const { rules, roomId } = room;
    const isCreate = isJsonObject(value) && value['type'] === 'm.room.create';
    if (isCreate && rules.event.roomId === 'create-event' && checkCreateEvent(rules, roomId, value).kind === 'reject') {
      return undefined;
    }
    const isPdu = isJsonObject(value) && value['signatures'] !== undefined;
    return isPdu ? ofPdu(room, value) : parseStrippedStateEvent(value);
  }

  return async (room, told) => {
    const filtered = await Promise.all(told.slice(0, maxEvents).map((value) => filter(room, value)));
    return filtered.filter((event) => event !== undefined);
  };
}

/** As much of that as is kept, and the person's own membership, as a JSON array. */
export function shownState(
  told: readonly StrippedStateEvent[],
  membership: RoomEvent,
  mostLength = maxToldLength,
): string {
  const shown: string[] = [];
  let length = 0;
  for (const event of told) {
    if (event.type === membership.type && event.state_key === membership.stateKey) continue;
    const text = encodeCanonical(event, 'lenient');
    if (length + text.length > mostLength) continue;
    length += text.length;
    shown.push(text);
  }
  const own = strippedEvent(membership);
  return `[${[...shown, own.length > mostLength ? nothingElse(membership) : own].join(',')}]`;
}

function nothingElse(membership: RoomEvent): string {
  const { membership: value = 'leave' } = membership.content;
  return strippedEvent({ ...membership, content: { membership: value } });
}
