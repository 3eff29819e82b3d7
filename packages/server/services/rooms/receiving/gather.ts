import type { Database } from '@portico/storage';
import type { ChainStore } from '@portico/storage/chain-cover/index.ts';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { relationOf } from '../../unread/thread-places.ts';
import type { StepCommitter } from '../commit-steps.ts';
import { policyKey } from '../policy/room-policy.ts';
import type { ReadState } from '../read-state.ts';
import type { StateEvents } from '../state-events.ts';
import type { ApplyPolicy } from './apply-policy.ts';
import { gateNews, judgeNow, readTargets, type Withheld } from './redaction-gate.ts';
import { storeOutside } from './store-outside.ts';
import type { Prepare, Prepared } from './prepare.ts';
import {
  MissingEventsError,
  type ReceivedEvent,
  type ReceivingRoom,
  type Result,
  type SoftFailure,
} from './received-event.ts';
import { loadReferences, type References } from './references.ts';

/** Some events, of which those in the group have still to be placed; the results of the others are known. */
export type Gathered = { readonly results: readonly (Result | undefined)[]; readonly group: readonly Prepared[] };

/** Judges events in their order, until one has to wait for what becomes of the others. */
export type Gather = (room: ReceivingRoom, events: readonly ReceivedEvent[]) => Promise<Gathered>;

type Dependencies = {
  readonly db: Database;
  readonly states: StateStore;
  readonly chains: ChainStore;
  readonly stateEvents: StateEvents;
  readonly committer: StepCommitter;
  readonly readState: ReadState;
};

type Steps = { readonly prepare: Prepare; readonly applyPolicy: ApplyPolicy };

export function createGather(deps: Dependencies, { prepare, applyPolicy }: Steps): Gather {
  const { db, stateEvents } = deps;

  /** Stores an event that does not become part of the room; unless others are to be stored before it. */
  async function keepOutside(
    room: ReceivingRoom,
    prepared: Prepared,
    kind: 'rejected' | 'soft-failed',
    { rule, reason, waitsFor }: SoftFailure & Partial<Withheld>,
    isFirst: boolean,
  ): Promise<Result | undefined> {
    // What is rejected, or refused by the policy server, "the stickiness of the event is prevented".
    const plain = { ...prepared, stored: { ...prepared.stored, sticky: undefined } };
    if (!isFirst) deps.committer.settle([prepared], false);
    else
      await storeOutside(
        deps,
        room,
        plain,
        kind === 'rejected' ? prepared.stored.status : eventStatus.softFailed,
        waitsFor,
      );
    return isFirst ? { kind, rule, reason } : undefined;
  }

  return async (room, events) => {
    const all = events.map(({ event }) => event);
    const [references, targets] = await Promise.all([
      loadReferences({ reader: db, stateEvents }, room, all),
      readTargets(db, room.rules, all),
    ]);
    const now = judgeNow(deps.readState, room, all);
    const results: (Result | undefined)[] = [];
    const group: Prepared[] = [];
    const ids = new Set<string>();
    try {
      for (const received of events) {
        const { event } = received;
        if (ids.has(event.eventId) || builds(received, ids)) break;
        const early = resultBefore(room, received, references);
        if (early !== undefined) {
          results.push(early);
          continue;
        }
        const first = await prepareOne(room, received, references);
        if ('kind' in first) {
          results.push(first);
          continue;
        }
        const { hasPower, withheld } = await gateNews(room, received, first.hasRedactionPower, targets, now);
        const prepared = { ...first, hasRedactionPower: hasPower };
        const isFirst = group.length === 0;
        const { rejection } = prepared;
        const judged = rejection ?? withheld ?? (await applyPolicy(room, prepared));
        if ('stored' in judged) {
          results.push(undefined);
          group.push(judged);
          ids.add(event.eventId);
          follow(references, judged);
          if (event.type === policyKey[0]) break;
          continue;
        }
        const kind = rejection === undefined ? 'soft-failed' : 'rejected';
        const outcome = await keepOutside(room, prepared, kind, judged, isFirst);
        // What follows it is judged once it is stored.
        if (outcome !== undefined) results.push(outcome);
        break;
      }
      return { results, group };
    } catch (error) {
      deps.committer.settle(group, false);
      throw error;
    }
  };

  async function prepareOne(
    room: ReceivingRoom,
    received: ReceivedEvent,
    references: References,
  ): Promise<Prepared | Result> {
    try {
      return await prepare(room, received, references);
    } catch (error) {
      if (error instanceof MissingEventsError) return { kind: 'failed', error };
      throw error;
    }
  }

  /** Lets others follow an event that is not stored yet. */
  function follow(references: References, { received: { event }, stored, stateAfter }: Prepared): void {
    const { eventNid: event_nid, roomNid: room_nid, status, depth } = stored;
    const is_redacted = stored.isRedacted === true ? 1 : 0;
    references.add({
      event_nid,
      event_id: event.eventId,
      room_nid,
      status,
      depth,
      is_redacted,
      state_after: stateAfter.rootId,
    });
    if (event.stateKey !== undefined) stateEvents.add({ nid: event_nid, event });
  }
}

/**
 * Whether an event builds on events in a way that is looked up in the database: it is allowed by them, belongs to the thread of
 * one, or redacts it.
 */
function builds({ event }: ReceivedEvent, ids: ReadonlySet<string>): boolean {
  const related = relationOf(event.content)?.eventId;
  const named = [...event.authEvents, related, event.redacts];
  return named.some((id) => id !== undefined && ids.has(id));
}

/** What is said of an event that is here already, or that cannot have a place. */
function resultBefore(
  { roomNid }: ReceivingRoom,
  { event, isReconsidered = false }: ReceivedEvent,
  references: References,
): Result | undefined {
  const row = references.row(event.eventId);
  const mayHavePlace =
    row?.status === eventStatus.outlier || (isReconsidered && row?.status === eventStatus.softFailed);
  if (row !== undefined && !mayHavePlace) return { kind: 'known' };
  const reason = findMisplaced(roomNid, event.prevEvents, references);
  return reason === undefined ? undefined : { kind: 'rejected', rule: 'prev_events.room', reason };
}

/**
 * Why an event has no place in its room's history. Such an event is not kept: there is no state to judge it by, and the
 * state of another room must never be mixed with this one's.
 */
function findMisplaced(roomNid: number, prevEvents: readonly string[], references: References): string | undefined {
  if (prevEvents.length === 0) return 'an event of a room that exists follows none of its events';
  const elsewhere = prevEvents.find((eventId) => (references.row(eventId)?.room_nid ?? roomNid) !== roomNid);
  return elsewhere && `${elsewhere}, which it follows, is an event of another room`;
}
