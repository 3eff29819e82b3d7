import { authEventKeys, authorise, type JsonObject, type RoomEvent } from '@portico/protocol';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { eventsToFollow } from '../../rooms/events-to-follow.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import type { ReferenceHashes } from '../../rooms/reference-hashes.ts';

type Dependencies = {
  readonly readState: ReadState;
  readonly references: ReferenceHashes;
  readonly states: StateStore;
  readonly now: () => number;
};

/** A member event to be completed and signed, by this server or another one. Throws if the room would refuse it. */
export async function makeTemplate(
  { readState, references, states, now }: Dependencies,
  roomNid: number,
  { sender, userId, content }: { readonly sender: string; readonly userId: string; readonly content: JsonObject },
): Promise<{ readonly event: JsonObject; readonly version: string }> {
  const first = await readState(roomNid, []);
  const { rules, roomId } = first;
  const draft = { type: 'm.room.member', stateKey: userId, sender, content };
  const keys = authEventKeys(rules, draft);
  const { row, state } = await readState(roomNid, [...keys, ['m.room.create', ''], ['m.room.member', userId]]);
  const authEvents = keys.map(([type, stateKey]) => state(type, stateKey)).filter((each) => each !== undefined);
  const prevEvents = await eventsToFollow(states, row, keys);
  const event: RoomEvent = {
    ...draft,
    eventId: '$template',
    roomId,
    originServerTs: now(),
    depth: row.max_depth + 1,
    prevEvents,
    authEvents: authEvents.map(({ eventId }) => eventId),
    redacts: undefined,
    rejected: false,
  };
  const decision = authorise(rules, event, { get: state, create: state('m.room.create') });
  if (decision.kind === 'reject') throw new MatrixError('forbidden', { message: decision.reason });
  const named = [...prevEvents, ...event.authEvents];
  const isPaired = rules.event.references === 'pairs';
  if (isPaired) await references.load(rules, named);
  const hashes = isPaired ? references.findNow(named) : undefined;
  const refer = (eventId: string) => (isPaired ? [eventId, { sha256: hashes?.get(eventId) ?? '' }] : eventId);
  return {
    version: rules.version,
    event: {
      type: event.type,
      room_id: roomId,
      sender,
      state_key: userId,
      content,
      depth: Math.min(event.depth, Number.MAX_SAFE_INTEGER),
      origin_server_ts: event.originServerTs,
      prev_events: prevEvents.map(refer),
      auth_events: event.authEvents.map(refer),
    },
  };
}
