import { authorise, type RoomEvent } from '@portico/protocol';
import type { StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import type { UnreadService } from '../../unread/unread-service.ts';
import { countStep, keysOf, NotInMemory } from '../decide.ts';
import { getKnown, type RoomHead } from '../head.ts';
import { type KnownState, knownAfterChanges } from '../known-state.ts';
import { countChange, membershipsOf } from '../memberships-of.ts';
import type { StateEvents } from '../state-events.ts';
import type { EntryChange, Step } from '../steps.ts';
import { showsStrippedState, strippedStateKeys } from '../stripped-state.ts';
import type { SoftFailure } from './received-event.ts';
import { extremitiesAfter, type Merger } from './merge.ts';
import type { Prepared } from './prepare.ts';
import { pendingOf } from './redaction-gate.ts';

export type PlaceDependencies = {
  readonly states: StateStore;
  readonly stateEvents: StateEvents;
  readonly unread: Pick<UnreadService, 'assess' | 'missing'>;
  readonly known: KnownState;
  readonly merger: Merger;
  readonly serverName: string;
};

/**
 * "Passes authorisation rules based on the current state of the room, otherwise it is "soft failed"."
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#soft-failure}
 */
function softFailure(
  { known }: Pick<PlaceDependencies, 'known'>,
  head: RoomHead,
  event: RoomEvent,
): SoftFailure | undefined {
  const keys = [...keysOf(head.rules, event), ...(showsStrippedState(event) ? strippedStateKeys : [])];
  if (!known.knowNow(head, keys)) throw new NotInMemory(() => known.know(head, keys));
  const get = (type: string, stateKey: string): RoomEvent | undefined => getKnown(head, type, stateKey)?.event;
  const decision = authorise(head.rules, event, { get, create: get('m.room.create', '') });
  return decision.kind === 'reject' ? decision : undefined;
}

/**
 * Puts an event into its room: merges it with the branches it does not follow; or says why it fails softly. Throws
 * `NotInMemory`.
 */
export function placeOnHead(deps: PlaceDependencies, head: RoomHead, prepared: Prepared): Step | SoftFailure {
  return softFailure(deps, head, prepared.received.event) ?? follow(deps, head, prepared);
}

function follow(deps: PlaceDependencies, head: RoomHead, prepared: Prepared): Step {
  const { event } = prepared.received;
  const { roomNid } = head;
  const { type, stateKey, sender, content } = event;
  const unread = deps.unread.missing({ roomNid, roomId: head.roomId, type, stateKey, sender, content });
  if (unread !== undefined) throw new NotInMemory(unread);
  const added = { eventId: event.eventId, state: prepared.stateAfter };
  // A redaction that was withheld, or a sticky event that failed softly, belongs to where the room was then: others may have
  // followed it since. And "servers MAY choose not to add old sticky events to their forward extremities": what the room was then is no branch of what
  // it is now. {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4354}
  const isAside = prepared.isOfThePast || prepared.received.isReconsidered === true;
  const { extremities, edit: ofBranches } = isAside
    ? { extremities: head.extremities, edit: undefined }
    : extremitiesAfter(deps.merger, head, prepared.follows, added);
  const made = ofBranches === undefined ? [] : [ofBranches];
  try {
    const merged = isAside ? { state: head.state, edit: undefined } : deps.merger.merge(head, extremities);
    if (merged.edit !== undefined) made.push(merged.edit);
    const { eventNid } = prepared.stored;
    const entries = entriesBetween(deps, head, merged.state);
    const memberships = membershipsOf(head, entries, eventNid, deps.serverName);
    const replaced = entries.find((entry) => entry.type === type && entry.stateKey === stateKey)?.before;
    return countStep(deps, head, {
      event,
      stored: {
        ...prepared.stored,
        headState: merged.state.rootId === prepared.stateAfter.rootId ? undefined : merged.state.rootId,
        replacesNid: replaced?.nid,
      },
      entries,
      memberships,
      edits: [...prepared.edits, ...made],
      chain: prepared.chain,
      pendingRedaction: pendingOf(head.rules, event, prepared.hasRedactionPower),
      head: {
        ...head,
        extremities,
        state: merged.state,
        maxDepth: Math.max(head.maxDepth, event.depth),
        lastEventNid: eventNid,
        known: knownAfterChanges(head.known, entries),
        joinedCount: head.joinedCount + countChange(memberships, 'join'),
        invitedCount: head.invitedCount + countChange(memberships, 'invite'),
      },
    });
  } catch (error) {
    for (const edit of made) deps.states.settle(edit, false);
    throw error;
  }
}

/** What another state has in other ways than the head's. Throws `NotInMemory`. */
function entriesBetween(deps: PlaceDependencies, head: RoomHead, state: StateRoot): readonly EntryChange[] {
  const question = deps.states.diff(head.state, state);
  const differences = question.now()?.value;
  if (differences === undefined) throw new NotInMemory(async () => void (await question.run()));
  const nids = differences.flatMap(({ before, after }) => [before, after]).filter((nid) => nid !== undefined);
  if (nids.some((nid) => deps.stateEvents.find(nid) === undefined)) {
    throw new NotInMemory(async () => void (await deps.stateEvents.load(head.rules, nids)));
  }
  const find = (nid: number | undefined) => (nid === undefined ? undefined : deps.stateEvents.find(nid));
  return differences.map(({ before, after }) => {
    const [old, current] = [find(before), find(after)];
    const { type, stateKey = '' } = (current ?? old)?.event ?? { type: '', stateKey: '' };
    return { type, stateKey, before: old, after: current };
  });
}
