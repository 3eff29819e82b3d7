import type { RoomEvent } from '@portico/protocol';
import { createPackNumbers } from '@portico/storage/state-trie/pack-numbers.ts';
import type { Database } from '@portico/storage';
import type { ChainAssignment, ChainStore } from '@portico/storage/chain-cover/index.ts';
import type { StateEdit, StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import type { EventStateRow } from '@portico/storage/stores/events/event-states.ts';
import type { NewEvent } from '@portico/storage/stores/events/events-write.ts';
import { readUnplaced } from '@portico/storage/stores/rooms/room-import.ts';
import { placedAuthEvents } from '../placed-auth-events.ts';
import type { StateEvents } from '../state-events.ts';
import { stickinessOf } from '../stickiness.ts';
import { hasFollower } from './has-follower.ts';
import { type Judgement, judge } from './judge.ts';
import type { Merger } from './merge.ts';
import { asRedacted } from './as-redacted.ts';
import type { ReceivedEvent, ReceivingRoom } from './received-event.ts';
import type { References } from './references.ts';
import { unplacedEvent } from '../unplaced-event.ts';

/** An event judged, with the state after it and its place in the auth chains. */
export type Prepared = Judgement & {
  readonly received: ReceivedEvent;
  readonly stored: NewEvent;
  readonly stateAfter: StateRoot;
  readonly edits: readonly StateEdit[];
  readonly chain: ChainAssignment | undefined;
  /** It was asked for, with the state before it, and others that have their place follow it: what it changed is part of what these lead to. */
  readonly isFollowed: boolean;
};

/** All that can be found out about an event whatever its room's head is. Throws `MissingEventsError`. */
export type Prepare = (room: ReceivingRoom, received: ReceivedEvent, references: References) => Promise<Prepared>;

type Dependencies = {
  readonly db: Database;
  readonly states: StateStore;
  readonly chains: ChainStore;
  readonly stateEvents: StateEvents;
  readonly merger: Merger;
  readonly now: () => number;
};

export function createPrepare({ db, states, chains, stateEvents, merger, now }: Dependencies): Prepare {
  const numbers = createPackNumbers((count) => db.reserveIds('event', count));
  const judging = { reader: db, states, stateEvents, merger };

  /** Whether the state after an event that was asked for has what it changed: what another server told may have kept it out. */
  async function isPartOf({ state_after: root, event_nid: nid }: EventStateRow, event: RoomEvent): Promise<boolean> {
    if (event.stateKey === undefined || root === null) return true;
    const state = await states.root(root).run();
    return (await states.get(state, event.type, event.stateKey).run()) === nid;
  }

  return async (room, given, references) => {
    const judgement = await judge(judging, room, given.event, references);
    // Stored already, without a place.
    const known = references.row(given.event.eventId);
    const outlier = known?.event_nid;
    const isRedacted = known?.is_redacted === 1;
    const received = isRedacted ? asRedacted(room.rules, given) : given;
    const { event, pieces } = received;
    const eventNid = outlier ?? (await numbers.take(1));
    const hasChain = outlier !== undefined && !(await readUnplaced(db, [outlier])).has(outlier);
    const isLate = known?.status === eventStatus.outlier && known.state_after !== null;
    const isFollowed =
      isLate &&
      (await isPartOf(known, given.event)) &&
      (await hasFollower({ db, stateEvents }, room, given.event.eventId));
    const edits = [...judgement.edits];
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
    const { rejection, isDoubtful } = judgement;
    const refused = isDoubtful ? eventStatus.outlier : eventStatus.rejected;
    const status = rejection === undefined ? eventStatus.accepted : refused;
    const stored: NewEvent = {
      ...unplacedEvent({ eventNid, roomNid: room.roomNid, status }, event, pieces),
      stateBefore: judgement.stateBefore.rootId,
      stateAfter: stateAfter === judgement.stateBefore ? undefined : stateAfter.rootId,
      chain: chain?.events[0]?.position,
      powerLevelsNid: event.stateKey === undefined ? undefined : judgement.powerLevelsNid,
      missingBefore: judgement.missingBefore,
      isKnown: outlier !== undefined,
      isRedacted,
      sticky: stickinessOf(event, now(), false),
    };
    return { ...judgement, received, stored, stateAfter, edits, chain, isFollowed };
  };
}
