import type { RoomEvent, ServerName } from '@portico/protocol';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { eventStates } from '@portico/storage/stores/events/event-states.ts';
import { findRoom } from '@portico/storage/stores/rooms/rooms.ts';
import type { ImportDependencies } from '../../rooms/importing/import-dependencies.ts';
import { importOutliers } from '../../rooms/importing/import-room.ts';
import { judgeByStates } from '../../rooms/receiving/judge.ts';
import type { MissingEventsError, ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import type { HistorySource } from '../history/history-source.ts';
import type { PastState } from '../history/past-state.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';
import type { StoreOutliers } from './store-outliers.ts';

/** Receives another event of the gap; says what that builds on, if it is not here. */
export type ReceiveOther = (received: ReceivedEvent) => Promise<MissingEventsError | undefined>;

/**
 * Takes an event whose own past is not here with the state before it. For that the word of a server is taken, as far as the auth
 * events allow each event in it. Whether it, and what follows it, can be judged now.
 */
export interface Leap {
  /** One that others follow. Where what it follows is here after all, it is received, and nothing need be told of it. */
  to(room: FederatedRoom, server: ServerName, eventId: string, receive: ReceiveOther): Promise<boolean>;
  /** One that is to be received itself. */
  with(room: FederatedRoom, server: ServerName, received: ReceivedEvent): Promise<boolean>;
}

type Dependencies = {
  readonly source: HistorySource;
  readonly pastState: PastState;
  readonly importing: ImportDependencies;
  readonly outliers: StoreOutliers;
};

export function createLeap({ source, pastState, importing, outliers }: Dependencies): Leap {
  const { db, states, stateEvents } = importing;

  async function authEventsOf(
    room: FederatedRoom,
    server: ServerName,
    { eventId, authEvents }: RoomEvent,
  ): Promise<readonly RoomEvent[]> {
    const readAll = async () => [...(await stateEvents.loadById(room.rules, authEvents)).values()];
    let named = await readAll();
    if (named.length < authEvents.length) {
      await importOutliers(importing, room, await source.authChain(room, server, eventId));
      named = await readAll();
    }
    return named.map((each) => each.event);
  }

  async function take(room: FederatedRoom, server: ServerName, received: ReceivedEvent): Promise<boolean> {
    const row = await findRoom(db, room.roomNid);
    if (row === undefined) return false;
    const { event } = received;
    const { eventId } = event;
    const base = await states.root(row.state_root).run();
    const { root: stateBefore, isWhole } = await pastState.before(room, server, eventId, base);
    // Something left out would be no part of the room for whatever follows.
    if (!isWhole) return false;
    const [known] = await eventStates(db, [eventId]);
    if (known !== undefined && known.status !== eventStatus.outlier) return known.state_after !== null;
    const authEvents = await authEventsOf(room, server, event);
    if (authEvents.length < event.authEvents.length) return false;
    const create = (await stateEvents.load(room.rules, [room.createEventNid])).get(room.createEventNid)?.event;
    const grounds = { authEvents, create, stateBefore };
    const verdict = await judgeByStates({ states, stateEvents }, room, event, grounds);
    await outliers.withState(room, received, { ...verdict, stateBefore });
    return true;
  }

  return {
    async to(room, server, eventId, receive) {
      const received = await source.event(room, server, eventId);
      if (received === undefined) return false;
      let missing = await receive(received);
      if (missing?.prevEvents.length === 0) {
        await outliers.authEvents(room, await source.authChain(room, server, eventId));
        missing = await receive(received);
      }
      return missing === undefined || take(room, server, received);
    },
    with: take,
  };
}
