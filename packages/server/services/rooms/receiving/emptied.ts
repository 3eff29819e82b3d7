import {
  type JsonObject,
  type JsonValue,
  parseJson,
  type PduPieces,
  type RoomVersionRules,
  splitPdu,
} from '@portico/protocol';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import type { NewEvent } from '@portico/storage/stores/events/events-write.ts';

/** What stays of an event: who it is by, and which others it names. All of these have limits of their own. */
const kept = new Set(['depth', 'event_id', 'origin_server_ts', 'room_id', 'sender', 'state_key', 'type']);
const references = new Set(['auth_events', 'prev_events']);

/**
 * What is kept for good of an event that nobody here will ever be shown. That it was not let in must be known as long as its
 * room is here, or a later event that names it, or a gap that is filled, would bring it back; and so must what it follows. What it
 * says need not, nor who has signed it: anybody who was put out of a room can go on sending to it.
 */
export function emptied(rules: RoomVersionRules, event: NewEvent): NewEvent {
  return { ...event, ...emptiedPieces(rules, event), isEmptied: true };
}

export function emptiedPieces(rules: RoomVersionRules, { before, content, after }: PduPieces): PduPieces {
  const pdu = parseJson(before + content + after, 'lenient') as JsonObject;
  const left: [string, JsonValue][] = [];
  for (const [key, value] of Object.entries(pdu)) {
    if (kept.has(key)) left.push([key, value]);
    else if (references.has(key)) left.push([key, withoutHashes(value as readonly JsonValue[])]);
  }
  return splitPdu({ ...Object.fromEntries(left), content: {}, hashes: {}, signatures: {} }, rules.canonicalJson);
}

/** Versions 1 and 2 put a hash beside each ID, in an object that has no limit. */
function withoutHashes(ids: readonly JsonValue[]): JsonValue[] {
  return ids.map((each) => (Array.isArray(each) ? [(each as readonly JsonValue[])[0] ?? '', {}] : each));
}

/**
 * Whether an event that has failed softly may still be shown, or become part of a state: state events by the resolution of
 * branches, sticky ones when they are judged once more, redactions when what they redact has come. What is only doubtful is judged again when it comes again, whole; by state events
 * others may be judged before that.
 */
export function mayComeBack({ status, stateKey, sticky }: NewEvent, isWaitingRedaction: boolean): boolean {
  if (status === eventStatus.outlier) return stateKey !== undefined;
  return status !== eventStatus.rejected && (stateKey !== undefined || sticky !== undefined || isWaitingRedaction);
}
