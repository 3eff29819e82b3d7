import { isJsonObject, type JsonObject } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findThreadTarget, type ThreadTargetRow } from '@portico/storage/stores/events/thread-places.ts';
import { createSmallCache } from '../reading/small-cache.ts';
import type { ThreadPlace } from './assess.ts';

/** The event that an event relates to. */
type Relation = { readonly type: string; readonly eventId: string };

export function relationOf(content: JsonObject): Relation | undefined {
  const relation = Object.hasOwn(content, 'm.relates_to') ? content['m.relates_to'] : undefined;
  if (!isJsonObject(relation)) return undefined;
  const { rel_type: type, event_id: eventId } = relation;
  return typeof type === 'string' && typeof eventId === 'string' ? { type, eventId } : undefined;
}

/**
 * Which thread an event is in: it has a relation of type `m.thread` to the root, or, "following the event relationships",
 * a parent that has. Since every event's thread is stored, one step along the relations is enough.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts}
 */
export interface ThreadPlaces {
  /** Whether `placeOf` has what it needs. */
  isKnown(roomNid: number, content: JsonObject): boolean;
  load(roomNid: number, content: JsonObject): Promise<void>;
  placeOf(roomNid: number, content: JsonObject): ThreadPlace | undefined;
  /** The same, as far as it is known, without using it up. */
  peek(roomNid: number, content: JsonObject): ThreadPlace | undefined;
}

const maxTargets = 20_000;

export function createThreadPlaces(reader: Reader): ThreadPlaces {
  const targets = createSmallCache<string, ThreadTargetRow | 'unknown'>(maxTargets);
  const keyOf = (roomNid: number, { eventId }: Relation): string => `${roomNid} ${eventId}`;

  return {
    isKnown(roomNid, content) {
      const relation = relationOf(content);
      return relation === undefined || targets.get(keyOf(roomNid, relation)) !== undefined;
    },
    async load(roomNid, content) {
      const relation = relationOf(content);
      if (relation === undefined) return;
      targets.set(keyOf(roomNid, relation), (await findThreadTarget(reader, roomNid, relation.eventId)) ?? 'unknown');
    },
    placeOf(roomNid, content) {
      const relation = relationOf(content);
      if (relation === undefined) return undefined;
      const key = keyOf(roomNid, relation);
      const target = targets.get(key);
      if (target === undefined) throw new Error('the event that this one relates to was not looked up');
      if (target === 'unknown') {
        // It may still arrive, so this holds for one event only.
        targets.delete(key);
        return undefined;
      }
      return placeIn(relation, target);
    },
    peek(roomNid, content) {
      const relation = relationOf(content);
      const target = relation && targets.get(keyOf(roomNid, relation));
      return relation === undefined || target === undefined || target === 'unknown'
        ? undefined
        : placeIn(relation, target);
    },
  };
}

function placeIn(relation: Relation, target: ThreadTargetRow): ThreadPlace | undefined {
  const isReply = relation.type === 'm.thread';
  const threadNid = target.thread_nid ?? (isReply ? target.event_nid : undefined);
  return threadNid === undefined ? undefined : { threadNid, isReply };
}
