import { createWriteSet } from '@portico/storage';
import { eventStatus } from '@portico/storage/stores/event-row.ts';
import { addEventOutsideTimeline } from '@portico/storage/stores/events-write.ts';
import type { ImportDependencies } from '../../rooms/importing/import-dependencies.ts';
import { importState } from '../../rooms/importing/import-room.ts';
import type { ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';

/** Keeps events that have no place in their room's timeline, for others to be judged by. */
export interface StoreOutliers {
  /** An event with the state before it. */
  withState(
    room: FederatedRoom,
    received: ReceivedEvent,
    given: { readonly authChain: readonly ReceivedEvent[]; readonly state: readonly ReceivedEvent[] },
  ): Promise<void>;
  /** Auth events with their whole chain; whether there were any. */
  authEvents(room: FederatedRoom, chain: readonly ReceivedEvent[]): Promise<boolean>;
}

export function createStoreOutliers(deps: ImportDependencies): StoreOutliers {
  const { db, states, chains, stateEvents } = deps;
  return {
    async withState({ roomNid, roomId, rules }, { event, pieces }, { authChain, state }) {
      const imported = await importState(deps, roomNid, { rules, roomId, authChain, state });
      const eventNid = await db.reserveIds('event', 1);
      const change = { type: event.type, stateKey: event.stateKey ?? '', event: eventNid };
      const edit = event.stateKey === undefined ? undefined : await states.set(imported.root, [change]).run();
      const authEvents = await stateEvents.loadById(rules, event.authEvents);
      const authEventNids = [...authEvents.values()].map(({ nid }) => nid);
      const chain = edit && (await chains.assign(roomNid, [{ eventNid, authEventNids }]));
      const set = createWriteSet();
      if (chain !== undefined) chains.append(set, chain);
      if (edit !== undefined) states.append(set, roomNid, edit);
      addEventOutsideTimeline(set, {
        eventNid,
        eventId: event.eventId,
        roomNid,
        status: eventStatus.outlier,
        type: event.type,
        stateKey: event.stateKey,
        sender: event.sender,
        originServerTs: event.originServerTs,
        depth: event.depth,
        ...pieces,
        stateBefore: imported.root.rootId,
        stateAfter: edit?.root.rootId,
        headState: undefined,
        replacesNid: undefined,
        threadNid: undefined,
        ordinal: 0,
        chain: chain?.events[0]?.position,
        powerLevelsNid: undefined,
        transaction: undefined,
      });
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
