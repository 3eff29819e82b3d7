import { isJsonObject, parseJson, type JsonObject } from '@portico/protocol';
import { parseRelation } from '@portico/protocol/relations/relation.ts';
import type { Reader } from '@portico/storage';
import { hasAnnotated } from '@portico/storage/stores/events/relations-read.ts';
import { findEvent } from '@portico/storage/stores/events/timeline.ts';
import { findMembership } from '@portico/storage/stores/rooms/memberships-read.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/**
 * Refuses what a client must not say about another event.
 *
 * "Servers SHOULD reject client requests which attempt to start a thread off an event with an `m.relates_to` property."
 * {@link https://spec.matrix.org/v1.19/client-server-api/#validation-of-mthread-relationships}
 */
export async function checkRelation(
  reader: Reader,
  roomNid: number,
  { sender, type, content }: { readonly sender: string; readonly type: string; readonly content: JsonObject },
): Promise<void> {
  const relation = parseRelation(content);
  if (relation === undefined) return;
  const { eventId: targetId, key } = relation;
  if (key !== undefined && (await hasAnnotated(reader, roomNid, { targetId, sender, key, type }))) {
    return refuse('relation.duplicate');
  }
  if (relation.type !== 'm.thread') return;
  const root = await findEvent(reader, roomNid, targetId);
  const rootContent = root && parseJson(root.content);
  if (isJsonObject(rootContent) && parseRelation(rootContent) !== undefined) await refuse('relation.nested-thread');

  /** Who is not in the room is refused for that, and learns nothing of its events. */
  async function refuse(reason: 'relation.duplicate' | 'relation.nested-thread'): Promise<void> {
    const row = await findMembership(reader, roomNid, sender);
    if (row?.membership === 'join') throw new MatrixError(reason);
  }
}
