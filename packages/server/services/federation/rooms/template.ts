import { authEventKeys, authorise, type JsonObject, type RoomEvent, type StateKeyPair } from '@portico/protocol';
import type { StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { eventsToFollow } from '../../rooms/events-to-follow.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import type { Merger } from '../../rooms/receiving/merge.ts';
import type { ReferenceHashes } from '../../rooms/reference-hashes.ts';
import type { RoomOfStates } from '../../rooms/resolution/state-resolver.ts';
import type { StateEvents } from '../../rooms/state-events.ts';

export type TemplateDependencies = {
  readonly readState: ReadState;
  readonly stateEvents: StateEvents;
  readonly merger: Merger;
  readonly references: ReferenceHashes;
  readonly states: StateStore;
  readonly now: () => number;
};

/**
 * A member event to be completed and signed, by this server or another one. Throws if the room would refuse it: others judge it by
 * where the events that it follows lead, which need not be all that the room ends with.
 */
export async function makeTemplate(
  deps: TemplateDependencies,
  roomNid: number,
  { sender, userId, content }: { readonly sender: string; readonly userId: string; readonly content: JsonObject },
): Promise<{ readonly event: JsonObject; readonly version: string }> {
  const { readState, references, states, now } = deps;
  const first = await readState(roomNid, []);
  const { rules, roomId } = first;
  const draft = { type: 'm.room.member', stateKey: userId, sender, content };
  const keys = authEventKeys(rules, draft);
  const wanted: readonly StateKeyPair[] = [...keys, ['m.room.create', ''], ['m.room.member', userId]];
  const { row, state: present } = await readState(roomNid, wanted);
  const { eventIds: prevEvents, some } = await eventsToFollow(states, row, keys);
  const before = some === undefined ? present : await stateAfter(deps, { roomNid, rules }, some, wanted);
  const authEvents = keys.map(([type, stateKey]) => before(type, stateKey)).filter((each) => each !== undefined);
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
  for (const get of new Set([before, present])) {
    const decision = authorise(rules, event, { get, create: get('m.room.create', '') });
    if (decision.kind === 'reject') throw new MatrixError('forbidden', { message: decision.reason });
  }
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

/** Some entries of the state after several events. */
async function stateAfter(
  { states, stateEvents, merger }: TemplateDependencies,
  room: RoomOfStates,
  roots: readonly StateRoot[],
  keys: readonly StateKeyPair[],
): Promise<(type: string, stateKey?: string) => RoomEvent | undefined> {
  const { state, edit } = await merger.stateAfterAll(room, roots);
  try {
    const nids = await states.getMany(state, keys).run();
    const events = await stateEvents.load(
      room.rules,
      nids.filter((nid) => nid !== undefined),
    );
    const found = [...events.values()].map(({ event }) => event);
    return (type, stateKey = '') => found.find((each) => each.type === type && each.stateKey === stateKey);
  } finally {
    if (edit !== undefined) states.settle(edit, false);
  }
}
