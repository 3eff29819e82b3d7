import { createWriteSet } from '@portico/storage';
import type { StateRoot } from '@portico/storage/state-trie/index.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { eventStates } from '@portico/storage/stores/events/event-states.ts';
import { addEventOutsideTimeline } from '@portico/storage/stores/events/events-write.ts';
import { addToldState } from '@portico/storage/stores/events/told-states.ts';
import { readUnplaced } from '@portico/storage/stores/rooms/room-import.ts';
import type { ImportDependencies } from '../../rooms/importing/import-dependencies.ts';
import { importState } from '../../rooms/importing/import-room.ts';
import { emptied } from '../../rooms/receiving/emptied.ts';
import type { Verdict } from '../../rooms/receiving/judge.ts';
import type { ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import { placedAuthEvents } from '../../rooms/placed-auth-events.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';

/** Keeps events that have no place in their room's timeline, for others to be judged by. */
export interface StoreOutliers {
  /** An event that has been judged, with the state before it as another server has told it. */
  withState(
    room: FederatedRoom,
    received: ReceivedEvent,
    judged: Pick<Verdict, 'rejection' | 'isRejectedByState'> & { readonly stateBefore: StateRoot },
  ): Promise<void>;
  /** Auth events with their whole chain; whether there were any. */
  authEvents(room: FederatedRoom, chain: readonly ReceivedEvent[]): Promise<boolean>;
}

export function createStoreOutliers(deps: ImportDependencies): StoreOutliers {
  const { db, states, chains, stateEvents } = deps;
  return {
    async withState({ roomNid, rules }, { event, pieces }, { stateBefore, rejection, isRejectedByState }) {
      // What was told of the state may be wrong: it is judged again when it comes itself. It changes nothing until then.
      const isRejected = rejection !== undefined && !isRejectedByState;
      const { eventId, type, stateKey } = event;
      const [known] = await eventStates(db, [eventId]);
      const eventNid = known?.event_nid ?? (await db.reserveIds('event', 1));
      const hasChain = known !== undefined && !(await readUnplaced(db, [eventNid])).has(eventNid);
      const authEvents = [...(await stateEvents.loadById(rules, event.authEvents)).values()];
      const named = authEvents.map(({ nid }) => nid);
      const links = { eventNid, authEventNids: await placedAuthEvents(db, named, isRejected) };
      const chain = stateKey === undefined || hasChain ? undefined : await chains.assign(roomNid, [links]);
      const edit =
        stateKey === undefined || rejection !== undefined
          ? undefined
          : await states.set(stateBefore, [{ type, stateKey, event: eventNid }]).run();
      const set = createWriteSet();
      if (chain !== undefined) chains.append(set, chain);
      if (edit !== undefined) states.append(set, roomNid, edit);
      const stored = {
        eventNid,
        eventId,
        roomNid,
        status: isRejected ? eventStatus.rejected : eventStatus.outlier,
        type,
        stateKey,
        sender: event.sender,
        originServerTs: event.originServerTs,
        depth: event.depth,
        ...pieces,
        stateBefore: stateBefore.rootId,
        stateAfter: edit?.root.rootId,
        headState: undefined,
        replacesNid: undefined,
        threadNid: undefined,
        ordinal: 0,
        chain: chain?.events[0]?.position,
        powerLevelsNid: authEvents.find((each) => each.event.type === 'm.room.power_levels')?.nid,
        transaction: undefined,
        isKnown: known !== undefined,
      };
      addEventOutsideTimeline(set, isRejected ? emptied(rules, stored) : stored);
      addToldState(set, eventNid, roomNid);
      let committed = false;
      try {
        await db.commit(set);
        committed = true;
      } finally {
        if (edit !== undefined) states.settle(edit, committed);
        if (chain !== undefined) chains.settle(chain, committed);
      }
    },
    async authEvents({ roomNid, roomId, rules }, chain) {
      const state = chain.filter(({ event }) => event.type === 'm.room.create');
      if (state.length === 0) return false;
      await importState(deps, roomNid, { rules, roomId, authChain: chain, state });
      return true;
    },
  };
}
