import { namedPowerLevel, type RoomEvent, serverNameOf, userPowerLevel } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import {
  addPendingRedaction,
  dropPendingRedactions,
  readPendingRedactions,
} from '@portico/storage/stores/federation-rooms.ts';
import { findRedactionTarget, type RedactionTarget } from '@portico/storage/stores/redactions.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import { applyRedaction } from '../../rooms/redact.ts';
import type { StateEvents } from '../../rooms/state-events.ts';
import type { UnreadService } from '../../unread/unread-service.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';

/** Redactions of other servers, and events that such a redaction came before. */
export interface InboundRedactions {
  /** To be told of each event that has become part of its room. */
  settle(room: FederatedRoom, event: RoomEvent, eventNid: number): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly readState: ReadState;
  readonly stateEvents: StateEvents;
  readonly unread: Pick<UnreadService, 'appendRedaction'>;
  readonly now: () => number;
};

export function createInboundRedactions(deps: Dependencies): InboundRedactions {
  const { db, unread, now } = deps;

  /**
   * > The power level of the redaction event's sender is greater than or equal to the redact level […] The domain of the
   * > redaction event's sender matches that of the original event's sender.
   *
   * {@link https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions}
   */
  async function mayRedact(room: FederatedRoom, redaction: RoomEvent, target: RedactionTarget): Promise<boolean> {
    if (target.room_nid !== room.roomNid || target.type === 'm.room.create') return false;
    if (serverNameOf(redaction.sender) === serverNameOf(target.sender)) return true;
    const { state } = await deps.readState(room.roomNid, [
      ['m.room.create', ''],
      ['m.room.power_levels', ''],
    ]);
    const powerLevels = state('m.room.power_levels');
    const power = userPowerLevel(room.rules, state('m.room.create'), powerLevels, redaction.sender);
    return power >= namedPowerLevel(room.rules, powerLevels, 'redact');
  }

  async function apply(room: FederatedRoom, redaction: RoomEvent, redactionNid: number): Promise<void> {
    if (redaction.redacts === undefined) return;
    const target = await findRedactionTarget(db, redaction.redacts);
    const set = createWriteSet();
    if (target === undefined) addPendingRedaction(set, redaction.redacts, redactionNid, room.roomNid);
    else if (!(await mayRedact(room, redaction, target))) return;
    else {
      applyRedaction(set, room.rules, target, redactionNid, now());
      unread.appendRedaction(set, target.event_nid);
    }
    if (set.writes.length > 0) await db.commit(set);
  }

  return {
    async settle(room, event, eventNid) {
      await apply(room, event, eventNid);
      const pending = await readPendingRedactions(db, room.roomNid, event.eventId);
      if (pending.length === 0) return;
      const redactions = await deps.stateEvents.loadById(
        room.rules,
        pending.map((row) => row.event_id),
      );
      for (const { nid, event: redaction } of redactions.values()) await apply(room, redaction, nid);
      const set = createWriteSet();
      dropPendingRedactions(set, event.eventId);
      await db.commit(set);
    },
  };
}
