import { authorise, type RoomEvent } from '@portico/protocol';
import { createWriteSet, type Reader, type WriteSet } from '@portico/storage';
import type { ChainAssignment } from '@portico/storage/chain-cover/index.ts';
import type { StateEdit, StateRoot } from '@portico/storage/state-trie/index.ts';
import { createPackNumbers } from '@portico/storage/state-trie/pack-numbers.ts';
import { eventStatus, type EventStatus } from '@portico/storage/stores/event-row.ts';
import { eventStates } from '@portico/storage/stores/event-states.ts';
import { addEventOutsideTimeline, type NewEvent } from '@portico/storage/stores/events-write.ts';
import { readUnplaced } from '@portico/storage/stores/room-import.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { CommitterDependencies, Decision, StepCommitter } from '../commit-steps.ts';
import { countStep, type DecideContext, isConflict, keysOf, NotInMemory, withReads } from '../decide.ts';
import { getKnown, type RoomHead } from '../head.ts';
import { type KnownState, knownAfterChanges } from '../known-state.ts';
import { countChange, membershipsOf } from '../memberships-of.ts';
import { placedAuthEvents } from '../placed-auth-events.ts';
import type { StateResolver } from '../resolution/state-resolver.ts';
import type { EntryChange, Step } from '../steps.ts';
import { showsStrippedState, strippedStateKeys } from '../stripped-state.ts';
import { writeHead } from '../write-steps.ts';
import type { RoomPolicy } from '../policy/room-policy.ts';
import { maxConflicts, patience } from '../writer.ts';
import { type Judgement, judge } from './judge.ts';
import { createMerger, extremitiesAfter, type Merger } from './merge.ts';
import type { Outcome, ReceivedEvent, ReceivingRoom } from './received-event.ts';

export type ReceiverDependencies = DecideContext &
  CommitterDependencies & {
    readonly known: KnownState;
    readonly resolver: StateResolver;
    readonly committer: StepCommitter;
    readonly policy: RoomPolicy;
  };

/** The one way in which events of other servers enter rooms. */
export interface Receiver {
  /**
   * Judges an event, stores it, and makes it part of the room if it may be. The events that it follows, and its auth
   * events, must be here: otherwise `MissingEventsError`.
   */
  receive(room: ReceivingRoom, received: ReceivedEvent): Promise<Outcome>;
}

/** An event judged, with the state after it and its place in the auth chains. */
type Prepared = Judgement & {
  readonly received: ReceivedEvent;
  readonly stored: NewEvent;
  readonly stateAfter: StateRoot;
  readonly edits: readonly StateEdit[];
  readonly chain: ChainAssignment | undefined;
};

export function createReceiver(deps: ReceiverDependencies): Receiver {
  const { db, heads, states, chains, stateEvents, committer } = deps;
  const numbers = createPackNumbers((count) => db.reserveIds('event', count));
  const merger = createMerger(states, deps.resolver);

  /** `outlier`: the number under which the event is stored already, without a place. */
  async function prepare(room: ReceivingRoom, received: ReceivedEvent, outlier: number | undefined): Promise<Prepared> {
    const judgement = await judge({ reader: db, states, stateEvents, resolver: deps.resolver }, room, received);
    const eventNid = outlier ?? (await numbers.take(1));
    const hasChain = outlier !== undefined && !(await readUnplaced(db, [outlier])).has(outlier);
    const { event, pieces } = received;
    const edits = judgement.edit === undefined ? [] : [judgement.edit];
    let stateAfter = judgement.stateBefore;
    let chain: ChainAssignment | undefined;
    if (event.stateKey !== undefined) {
      const isRejected = judgement.rejection !== undefined;
      const authEventNids = await placedAuthEvents(db, judgement.authEventNids, isRejected);
      chain = hasChain ? undefined : await chains.assign(room.roomNid, [{ eventNid, authEventNids }]);
      if (judgement.rejection === undefined) {
        const change = { type: event.type, stateKey: event.stateKey, event: eventNid };
        const edit = await states.set(judgement.stateBefore, [change]).run();
        edits.push(edit);
        stateAfter = edit.root;
      }
    }
    const stored: NewEvent = {
      eventNid,
      eventId: event.eventId,
      roomNid: room.roomNid,
      status: judgement.rejection === undefined ? eventStatus.accepted : eventStatus.rejected,
      type: event.type,
      stateKey: event.stateKey,
      sender: event.sender,
      originServerTs: event.originServerTs,
      depth: event.depth,
      ...pieces,
      stateBefore: judgement.stateBefore.rootId,
      stateAfter: stateAfter === judgement.stateBefore ? undefined : stateAfter.rootId,
      headState: undefined,
      replacesNid: undefined,
      threadNid: undefined,
      ordinal: 0,
      chain: chain?.events[0]?.position,
      powerLevelsNid: event.stateKey === undefined ? undefined : judgement.powerLevelsNid,
      transaction: undefined,
      missingBefore: judgement.missingBefore,
      isKnown: outlier !== undefined,
    };
    return { ...judgement, received, stored, stateAfter, edits, chain };
  }

  /** What stores an event that does not become part of its room. */
  function outside({ stored, edits, chain }: Prepared, status: EventStatus): WriteSet {
    const set = createWriteSet();
    addEventOutsideTimeline(set, { ...stored, status });
    for (const edit of edits) states.append(set, stored.roomNid, edit);
    if (chain !== undefined) chains.append(set, chain);
    return set;
  }

  async function keepOutside(prepared: Prepared, status: EventStatus): Promise<void> {
    let committed = false;
    try {
      await db.commit(outside(prepared, status));
      committed = true;
    } finally {
      committer.settle([prepared], committed);
    }
  }

  function decidePlace(head: RoomHead, prepared: Prepared): Decision | SoftFailure {
    const refusal = softFailure(deps, head, prepared.received.event);
    if (refusal !== undefined) return refusal;
    const moveHead: Decision['moveHead'] = (set, after, position) => writeHead(set, after, head, position);
    return { steps: [follow(deps, merger, head, prepared)], before: head, moveHead };
  }

  async function tryPlace(room: ReceivingRoom, prepared: Prepared): Promise<Outcome> {
    const head = heads.current(room.roomNid) ?? (await heads.load(room.roomNid));
    if (head === undefined) throw new Error(`room ${room.roomNid} does not exist`);
    const decided = decidePlace(head, prepared);
    if ('steps' in decided) {
      await committer.commit(decided);
      return { kind: 'accepted', eventNid: prepared.stored.eventNid };
    }
    await keepOutside(prepared, eventStatus.softFailed);
    return { ...decided, kind: 'soft-failed' };
  }

  async function placeAlone(room: ReceivingRoom, prepared: Prepared): Promise<Outcome> {
    let refusal: SoftFailure | undefined;
    let committed = false;
    try {
      await committer.commitAlone(async (turn) => {
        const head = await heads.inTurn(turn, room.roomNid);
        if (head === undefined) throw new Error(`room ${room.roomNid} does not exist`);
        const decided = await withReads(() => decidePlace(head, prepared));
        if ('steps' in decided) return decided;
        refusal = decided;
        return outside(prepared, eventStatus.softFailed);
      });
      committed = true;
    } finally {
      if (refusal !== undefined) committer.settle([prepared], committed);
    }
    const { eventNid } = prepared.stored;
    return refusal === undefined ? { kind: 'accepted', eventNid } : { ...refusal, kind: 'soft-failed' };
  }

  async function place(room: ReceivingRoom, first: Prepared): Promise<Outcome> {
    let prepared = first;
    const { event } = first.received;
    for (let conflicts = 0; ;) {
      if (event.stateKey !== undefined) stateEvents.add({ nid: prepared.stored.eventNid, event });
      try {
        return await (conflicts < patience ? tryPlace(room, prepared) : placeAlone(room, prepared));
      } catch (error) {
        if (error instanceof NotInMemory) {
          await error.read();
          continue;
        }
        if (!isConflict(error) || ++conflicts > maxConflicts) throw error;
        // A failed commit has let go of the states that the event brought along.
        const { isKnown, eventNid } = prepared.stored;
        prepared = await prepare(room, prepared.received, isKnown === true ? eventNid : undefined);
      }
    }
  }

  /**
   * Check 7: "Is validated by the Policy Server, if the room is using a Policy Server, otherwise it is "soft failed"."
   *
   * {@link https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu}
   */
  async function withPolicy(room: ReceivingRoom, prepared: Prepared): Promise<Prepared | SoftFailure> {
    const { event, pieces } = prepared.received;
    try {
      const head = heads.current(room.roomNid) ?? (await heads.load(room.roomNid));
      if (head === undefined) throw new Error(`room ${room.roomNid} does not exist`);
      const signed = await deps.policy.signPieces(head, event, pieces);
      if (signed === pieces) return prepared;
      return { ...prepared, received: { event, pieces: signed }, stored: { ...prepared.stored, ...signed } };
    } catch (error) {
      if (error instanceof MatrixError) return { rule: 'policy_server', reason: error.message };
      committer.settle([prepared], false);
      throw error;
    }
  }

  return {
    async receive(room, received) {
      const [known] = await eventStates(db, [received.event.eventId]);
      if (known !== undefined && known.status !== eventStatus.outlier) return { kind: 'known' };
      const misplaced = await findMisplaced(db, room, received.event);
      if (misplaced !== undefined) return { kind: 'rejected', rule: 'prev_events.room', reason: misplaced };
      const prepared = await prepare(room, received, known?.event_nid);
      if (prepared.rejection !== undefined) {
        const { rule, reason } = prepared.rejection;
        await keepOutside(prepared, eventStatus.rejected);
        return { kind: 'rejected', rule, reason };
      }
      const signed = await withPolicy(room, prepared);
      if ('stored' in signed) return place(room, signed);
      await keepOutside(prepared, eventStatus.softFailed);
      return { ...signed, kind: 'soft-failed' };
    },
  };
}

type SoftFailure = { readonly rule: string; readonly reason: string };

/**
 * "Passes authorisation rules based on the current state of the room, otherwise it is "soft failed"."
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#soft-failure}
 */
function softFailure(
  { known }: Pick<ReceiverDependencies, 'known'>,
  head: RoomHead,
  event: RoomEvent,
): SoftFailure | undefined {
  const keys = [...keysOf(head.rules, event), ...(showsStrippedState(event) ? strippedStateKeys : [])];
  if (!known.knowNow(head, keys)) throw new NotInMemory(() => known.know(head, keys));
  const get = (type: string, stateKey: string): RoomEvent | undefined => getKnown(head, type, stateKey)?.event;
  const decision = authorise(head.rules, event, { get, create: get('m.room.create', '') });
  return decision.kind === 'reject' ? decision : undefined;
}

/** Puts an event into its room: merges it with the branches it does not follow. Throws `NotInMemory`. */
function follow(deps: ReceiverDependencies, merger: Merger, head: RoomHead, prepared: Prepared): Step {
  const { event } = prepared.received;
  const { roomNid } = head;
  const { type, stateKey, sender, content } = event;
  const unread = deps.unread.missing({ roomNid, roomId: head.roomId, type, stateKey, sender, content });
  if (unread !== undefined) throw new NotInMemory(unread);
  const added = { eventId: event.eventId, state: prepared.stateAfter };
  const extremities = extremitiesAfter(head, prepared.follows, added);
  const merged = merger.merge(head, extremities);
  try {
    const { eventNid } = prepared.stored;
    const entries = entriesBetween(deps, head, merged.state);
    const memberships = membershipsOf(head, entries, eventNid, deps.signer.serverName);
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
      edits: merged.edit === undefined ? prepared.edits : [...prepared.edits, merged.edit],
      chain: prepared.chain,
      pendingRedaction: event.redacts,
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
    if (merged.edit !== undefined) deps.states.settle(merged.edit, false);
    throw error;
  }
}

/** What another state has in other ways than the head's. Throws `NotInMemory`. */
function entriesBetween(deps: ReceiverDependencies, head: RoomHead, state: StateRoot): readonly EntryChange[] {
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

/**
 * Why an event has no place in its room's history. Such an event is not kept: there is no state to judge it by, and the
 * state of another room must never be mixed with this one's.
 */
async function findMisplaced(
  reader: Reader,
  { roomNid }: ReceivingRoom,
  { prevEvents }: RoomEvent,
): Promise<string | undefined> {
  if (prevEvents.length === 0) return 'an event of a room that exists follows none of its events';
  const rows = await eventStates(reader, prevEvents);
  const elsewhere = rows.find((row) => row.room_nid !== roomNid);
  return elsewhere && `${elsewhere.event_id}, which it follows, is an event of another room`;
}
