import { authorise, type RoomEvent } from '@portico/protocol';
import type { StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import type { UnreadService } from '../../unread/unread-service.ts';
import { extremitiesAfter, extremityOf } from '../branches.ts';
import { countStep, keysOf, NotInMemory } from '../decide.ts';
import { getKnown, type RoomHead } from '../head.ts';
import { type KnownState, knownAfterChanges } from '../known-state.ts';
import { countChange, membershipsOf } from '../memberships-of.ts';
import type { StateEvents } from '../state-events.ts';
import type { EntryChange, Step } from '../steps.ts';
import { showsStrippedState, strippedStateKeys } from '../stripped-state.ts';
import type { SoftFailure } from './received-event.ts';
import type { Merger } from './merge.ts';
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
export function softFailure(
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
  const { received, stored, stateAfter, follows, edits, chain, hasRedactionPower } = prepared;
  const { event } = received;
  // A redaction that was withheld, or a sticky event that failed softly, belongs to where the room was then: others may have
  // followed it since. And "servers MAY choose not to add old sticky events to their forward extremities": what the room was then is no branch of what
  // it is now. {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4354}
  const isAside = prepared.isOfThePast || prepared.isFollowed || received.isReconsidered === true;
  const pendingRedaction = pendingOf(head.rules, event, hasRedactionPower);
  return placeAmong(deps, head, { event, stored, stateAfter, follows, edits, chain, isAside, pendingRedaction });
}

/** An event with the state after it, on the branches that it follows. */
type OfBranches = Pick<Step, 'event' | 'stored' | 'edits' | 'chain' | 'pendingRedaction'> &
  Pick<Prepared, 'stateAfter' | 'follows'> & {
    /** It is no branch of what the room is now. */
    readonly isAside: boolean;
  };

/** Puts an event among the branches of its room, whose state is the resolution of all of them. Throws `NotInMemory`. */
export function placeAmong(deps: PlaceDependencies, head: RoomHead, placed: OfBranches): Step {
  const { event, stored, stateAfter, follows, edits, chain, isAside, pendingRedaction } = placed;
  const { roomNid } = head;
  const { type, stateKey, sender, content } = event;
  const unread = deps.unread.missing({ roomNid, roomId: head.roomId, type, stateKey, sender, content });
  if (unread !== undefined) throw new NotInMemory(unread);
  const extremities = isAside ? head.extremities : extremitiesAfter(head, follows, extremityOf(event, stateAfter));
  const roots = extremities.map(({ state }) => state);
  const merged = isAside ? { ...head, edit: undefined } : deps.merger.merge(head, roots, head.state);
  try {
    const { eventNid } = stored;
    const entries = entriesBetween(deps, head, merged.state);
    const memberships = membershipsOf(head, entries, eventNid, deps.serverName);
    const replaced = entries.find((entry) => entry.type === type && entry.stateKey === stateKey)?.before;
    return countStep(deps, head, {
      event,
      stored: {
        ...stored,
        headState: merged.state.rootId === stateAfter.rootId ? undefined : merged.state.rootId,
        replacesNid: replaced?.nid,
      },
      entries,
      memberships,
      edits: merged.edit === undefined ? edits : [...edits, merged.edit],
      chain,
      pendingRedaction,
      head: {
        ...head,
        extremities,
        state: merged.state,
        differing: merged.differing,
        maxDepth: Math.max(head.maxDepth, event.depth),
        lastEventNid: eventNid,
        known: knownAfterChanges(head.known, entries),
        joinedCount: head.joinedCount + countChange(memberships, 'join'),
        invitedCount: head.invitedCount + countChange(memberships, 'invite'),
      },
    });
  } catch (error) {
    if (merged.edit !== undefined) deps.states.settle(merged.edit, false);
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
