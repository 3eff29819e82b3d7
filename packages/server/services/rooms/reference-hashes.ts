import { parseJson, type Pdu, type RoomVersionRules } from '@portico/protocol';
import { referenceHash } from '@portico/protocol/events/hashes.ts';
import type { PduPieces } from '@portico/protocol/events/pieces.ts';
import type { Reader } from '@portico/storage';
import { stateEventsById } from '@portico/storage/stores/events/resolution.ts';

/**
 * What room versions 1 and 2 put beside the ID of each event that an event names.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v1/#event-format}
 */
export interface ReferenceHashes {
  /** `undefined` if one of them is not in memory. */
  findNow(eventIds: readonly string[]): ReadonlyMap<string, string> | undefined;
  load(rules: RoomVersionRules, eventIds: readonly string[]): Promise<void>;
  /** An event that is decided, and perhaps not committed yet. */
  add(rules: RoomVersionRules, eventId: string, pieces: PduPieces): void;
}

export function createReferenceHashes(db: Reader, maxHashes = 20_000): ReferenceHashes {
  const hashes = new Map<string, string>();

  function remember(rules: RoomVersionRules, eventId: string, text: string): void {
    hashes.set(eventId, referenceHash(rules, parseJson(text, 'lenient') as Pdu));
    if (hashes.size > maxHashes) hashes.delete(hashes.keys().next().value ?? eventId);
  }

  return {
    findNow(eventIds) {
      const found = new Map<string, string>();
      for (const eventId of eventIds) {
        const known = hashes.get(eventId);
        if (known === undefined) return undefined;
        found.set(eventId, known);
      }
      return found;
    },
    async load(rules, eventIds) {
      const rows = await stateEventsById(
        db,
        eventIds.filter((eventId) => !hashes.has(eventId)),
      );
      for (const row of rows) remember(rules, row.event_id, row.before_content + row.content + row.after_content);
      const missing = eventIds.find((eventId) => !hashes.has(eventId));
      if (missing !== undefined) throw new Error(`the event ${missing} does not exist`);
    },
    add(rules, eventId, { before, content, after }) {
      remember(rules, eventId, before + content + after);
    },
  };
}
