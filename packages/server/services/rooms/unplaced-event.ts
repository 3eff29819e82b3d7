import type { PduPieces, RoomEvent } from '@portico/protocol';
import type { NewEvent } from '@portico/storage/stores/events/events-write.ts';

/** An event as it is stored while nothing is known of its place: neither the state around it nor its order or chain. */
export function unplacedEvent(
  numbers: Pick<NewEvent, 'eventNid' | 'roomNid' | 'status'>,
  event: RoomEvent,
  { before, content, after }: PduPieces,
): NewEvent {
  return {
    ...numbers,
    eventId: event.eventId,
    type: event.type,
    stateKey: event.stateKey,
    sender: event.sender,
    originServerTs: event.originServerTs,
    depth: event.depth,
    before,
    content,
    after,
    stateBefore: undefined,
    stateAfter: undefined,
    headState: undefined,
    replacesNid: undefined,
    threadNid: undefined,
    ordinal: 0,
    chain: undefined,
    powerLevelsNid: undefined,
    transaction: undefined,
  };
}
