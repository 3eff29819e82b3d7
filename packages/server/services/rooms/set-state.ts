import {
  filterKeys,
  isCreator,
  isJsonObject,
  isRoomId,
  isUserId,
  type JsonObject,
  type JsonValue,
} from '@portico/protocol';
import { MatrixError } from '../../errors/matrix-error.ts';
import { type Draft, stateDraft } from './draft.ts';
import type { RoomView, RoomWriter } from './room-writer.ts';
import { isSameContent } from './same-content.ts';

type StateEntry = {
  readonly type: string;
  readonly stateKey: string;
  readonly content: JsonObject;
  /** Instead of the time now. Milliseconds. */
  readonly originServerTs?: number | undefined;
  readonly transaction?: NonNullable<Draft['transaction']>;
  /** For how long it is to be sticky. Milliseconds. */
  readonly stickyMs?: number | undefined;
};

/**
 * Sets an entry of a room's state and returns the event that now is that entry: the one there already, if the sender set
 * the same content before, unless it is to be sticky: that begins anew with another event.
 */
export async function setState(
  writer: RoomWriter,
  roomNid: number,
  sender: string,
  entry: StateEntry,
): Promise<string> {
  const { type, stateKey, originServerTs, stickyMs, transaction } = entry;
  const content = type === 'm.room.member' ? withoutAuthoriser(entry.content) : entry.content;
  const more = {
    ...(originServerTs !== undefined && { originServerTs }),
    ...(stickyMs !== undefined && { stickyMs }),
    ...(transaction && { transaction }),
  };
  let existing: string | undefined;
  const appended = await writer.append(roomNid, {
    needs: [
      [type, stateKey],
      ['m.room.member', sender],
      ['m.room.create', ''],
    ],
    drafts(view) {
      refuseMalformed(view, entry);
      const current = view.state(type, stateKey);
      const isMember = view.state('m.room.member', sender)?.event.content['membership'] === 'join';
      const isSame = current?.event.sender === sender && isSameContent(current.event.content, content);
      existing = isMember && isSame && stickyMs === undefined ? current.event.eventId : undefined;
      return existing === undefined ? [{ ...stateDraft(sender, type, content, stateKey), ...more }] : [];
    },
  });
  return existing ?? soleEventId(appended.events);
}

/** In whose name somebody enters a restricted room is for servers to say; a change of profile needs nobody's. */
function withoutAuthoriser(content: JsonObject): JsonObject {
  return filterKeys(content, (key) => key !== 'join_authorised_via_users_server');
}

/** "The room ID of the new room the client should be visiting." */
function isReplacement(value: JsonValue): boolean {
  return typeof value === 'string' && isRoomId(value);
}

/** What is no entry of any room's state. */
export function refuseImpossible({ type, stateKey, content }: StateEntry): void {
  if (type === 'm.room.member' && !isUserId(stateKey)) {
    throw new MatrixError('request.invalid-param', { message: 'The state key of m.room.member must be a user ID.' });
  }
  if (stateKey !== '') return;
  const replacement = content['replacement_room'];
  if (type === 'm.room.tombstone' && replacement !== undefined && !isReplacement(replacement)) {
    throw new MatrixError('request.invalid-param', { message: 'replacement_room must be the ID of a room.' });
  }
  if (type === 'm.room.create') throw new MatrixError('request.bad-json', { message: 'A room is created once.' });
}

/** What no sender could send, whatever their power, is a bad request and not a forbidden one. */
function refuseMalformed({ head, state }: RoomView, entry: StateEntry): void {
  refuseImpossible(entry);
  const { type, stateKey, content } = entry;
  if (stateKey !== '') return;
  // "The room ID of the new room": clients that go where it leads would come here again.
  if (type === 'm.room.tombstone' && content['replacement_room'] === head.roomId) {
    throw new MatrixError('request.invalid-param', { message: 'replacement_room must be the ID of another room.' });
  }
  const create = state('m.room.create', '')?.event;
  const users = content['users'];
  if (type !== 'm.room.power_levels' || !head.rules.auth.privilegedCreators) return;
  if (create === undefined || !isJsonObject(users)) return;
  const creator = Object.keys(users).find((userId) => isCreator(head.rules, create, userId));
  if (creator === undefined) return;
  throw new MatrixError('request.bad-json', { message: `${creator} is a creator of the room: no level can be set.` });
}

export function soleEventId(events: readonly { readonly eventId: string }[]): string {
  const [event] = events;
  if (event === undefined) throw new Error('a plan that must add an event added none');
  return event.eventId;
}
