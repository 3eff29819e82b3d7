import type { RoomEvent } from '@portico/protocol';
import { isReplacement, parseRelation } from '@portico/protocol/relations/relation.ts';
import type { PositionParam, WriteSet } from '@portico/storage';
import type { NewEvent } from '@portico/storage/stores/events/events-write.ts';
import { addRelation, findEarlierRelations } from '@portico/storage/stores/events/relations-write.ts';

/** Writes what an event that enters a room's timeline has to do with others, in the event's own commit. */
export function appendRelation(
  set: WriteSet,
  { content, stateKey }: Pick<RoomEvent, 'content' | 'stateKey'>,
  { eventNid, eventId, roomNid, type, sender, originServerTs: ts, transaction }: NewEvent,
  place: PositionParam | { readonly order: number },
): void {
  // What a client here sends has an ID that nobody knew before.
  const isOwn = transaction !== undefined;
  if (!isOwn) findEarlierRelations(set, roomNid, eventNid, eventId);
  const relation = parseRelation(content);
  if (relation === undefined || stateKey !== undefined) return;
  addRelation(
    set,
    {
      roomNid,
      targetId: relation.eventId,
      eventNid,
      eventId,
      relType: relation.type,
      eventType: type,
      sender,
      ts,
      replaces: relation.type === 'm.replace' && isReplacement(type, stateKey, content),
      annotationKey: relation.key,
    },
    place,
    isOwn,
  );
}
