import type { StateKeyPair } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { readPdusById } from '@portico/storage/stores/federation/federation-rooms.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import { strippedStateKeys } from '../../rooms/stripped-state.ts';
import { maxToldLength } from './shown-state.ts';

/** What another server is told of a room that one of its people is invited to or knocks on: whole events, as texts. */
export type TellState = (roomNid: number, further?: readonly StateKeyPair[]) => Promise<readonly string[]>;

/**
 * > MUST contain the `m.room.create` event for the room. All events listed MUST additionally be formatted according to the
 * > room version specification.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid}
 *
 * What would make the request longer than others read is left out (CVE-2023-32323), the create event never.
 */
export function createTellState({ db, readState }: { readonly db: Reader; readonly readState: ReadState }): TellState {
  return async (roomNid, further = []) => {
    const keys = [...strippedStateKeys, ...further];
    const { state } = await readState(roomNid, keys);
    const eventIds = keys.map(([type, stateKey]) => state(type, stateKey)?.eventId).filter((id) => id !== undefined);
    const rows = new Map((await readPdusById(db, eventIds)).map((row) => [row.event_id, row.pdu]));
    const told: string[] = [];
    let length = 0;
    for (const eventId of eventIds) {
      const pdu = rows.get(eventId);
      if (pdu === undefined || (told.length > 0 && length + pdu.length > maxToldLength)) continue;
      length += pdu.length;
      told.push(pdu);
    }
    return told;
  };
}
