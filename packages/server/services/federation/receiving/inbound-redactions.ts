import { namedPowerLevel, type RoomEvent, serverNameOf, userPowerLevel } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import {
  dropPendingRedaction,
  readOverdueRedactions,
  readPendingRedactions,
  readPendingTargets,
} from '@portico/storage/stores/events/pending-redactions.ts';
import { findRedactionTarget, type RedactionTarget } from '@portico/storage/stores/events/redactions.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import { applyRedaction } from '../../rooms/redact.ts';
import type { StateEvents } from '../../rooms/state-events.ts';
import type { UnreadService } from '../../unread/unread-service.ts';
import type { FederatedRoom, FederatedRooms } from '../rooms/federated-rooms.ts';

export type AcceptedEvent = { readonly event: RoomEvent; readonly eventNid: number };

/** Redactions of other servers, and events that such a redaction came before. */
export interface InboundRedactions {
  /** To be told of events that have become part of their room; answers for which of them it failed, and why. */
  settle(room: FederatedRoom, events: readonly AcceptedEvent[]): Promise<ReadonlyMap<string, unknown>>;
  /** Applies what a process that ended between an event and its redaction has left. */
  resume(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly rooms: Pick<FederatedRooms, 'find'>;
  readonly serverName: string;
  readonly readState: ReadState;
  readonly stateEvents: StateEvents;
  readonly unread: Pick<UnreadService, 'appendRedaction'>;
  readonly now: () => number;
};

/** More than ever is under way at one moment. */
const mostOverdue = 1000;

export function createInboundRedactions(deps: Dependencies): InboundRedactions {
  const { db, rooms, serverName, unread, now } = deps;

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

  /** Redacts what is there to be redacted. What is not yet stays in mind, as the redaction's own commit has left it. */
  async function apply(room: FederatedRoom, redaction: RoomEvent, redactionNid: number): Promise<void> {
    if (redaction.redacts === undefined) return;
    const target = await findRedactionTarget(db, redaction.redacts);
    if (target === undefined) return;
    const set = createWriteSet();
    if (await mayRedact(room, redaction, target)) {
      applyRedaction(set, room.rules, target, redactionNid, now());
      unread.appendRedaction(set, target.event_nid);
    }
    dropPendingRedaction(set, redaction.redacts, redactionNid);
    await db.commit(set);
  }

  async function applyPending(room: FederatedRoom, eventId: string): Promise<void> {
    const pending = await readPendingRedactions(db, room.roomNid, eventId);
    if (pending.length === 0) return;
    const redactions = await deps.stateEvents.loadById(
      room.rules,
      pending.map((row) => row.event_id),
    );
    for (const { nid, event: redaction } of redactions.values()) await apply(room, redaction, nid);
  }

  return {
    async settle(room, events) {
      const failures = new Map<string, unknown>();
      const targets = await readPendingTargets(
        db,
        events.map(({ event }) => event.eventId),
      );
      for (const { event, eventNid } of events) {
        try {
          await apply(room, event, eventNid);
          if (targets.has(event.eventId)) await applyPending(room, event.eventId);
        } catch (error) {
          failures.set(event.eventId, error);
        }
      }
      return failures;
    },
    async resume() {
      for (const { event_id: eventId, room_id: roomId } of await readOverdueRedactions(db, mostOverdue)) {
        const room = await rooms.find(roomId, serverName);
        if (room !== undefined) await applyPending(room, eventId);
      }
    },
  };
}
