import type { RoomEvent } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import {
  dropPendingRedaction,
  type PendingRedaction,
  readOverdueRedactions,
  readPendingRedactions,
  readPendingTargets,
} from '@portico/storage/stores/events/pending-redactions.ts';
import { findRedactionTarget } from '@portico/storage/stores/events/redactions.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import { mayRedact } from '../../rooms/receiving/redaction-gate.ts';
import type { Receiver } from '../../rooms/receiving/receiver.ts';
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
  readonly receiver: Pick<Receiver, 'receive'>;
  readonly readState: ReadState;
  readonly stateEvents: StateEvents;
  readonly unread: Pick<UnreadService, 'appendRedaction'>;
  readonly now: () => number;
};

/** More than ever is under way at one moment. */
const mostOverdue = 1000;

export function createInboundRedactions(deps: Dependencies): InboundRedactions {
  const { db, rooms, serverName, unread, now } = deps;

  /** Redacts what is there to be redacted. What is not yet stays in mind, as the redaction's own commit has left it. */
  async function apply(room: FederatedRoom, redaction: RoomEvent, redactionNid: number): Promise<void> {
    if (redaction.redacts === undefined) return;
    const target = await findRedactionTarget(db, redaction.redacts);
    if (target === undefined) return;
    const set = createWriteSet();
    if (await mayRedact(deps.readState, room, redaction, target)) {
      applyRedaction(set, room.rules, target, redactionNid, now());
      unread.appendRedaction(set, target.event_nid);
    }
    dropPendingRedaction(set, redaction.redacts, redactionNid);
    await db.commit(set);
  }

  /** Lets clients have what was kept from them while what it redacts was not here. */
  async function show(room: FederatedRoom, event: RoomEvent, row: PendingRedaction): Promise<void> {
    const pieces = { before: row.before_content, content: row.content, after: row.after_content };
    await deps.receiver.receive(room, { event, pieces, isReconsidered: true });
  }

  async function applyPending(room: FederatedRoom, eventId: string): Promise<void> {
    const pending = await readPendingRedactions(db, room.roomNid, eventId);
    if (pending.length === 0) return;
    const redactions = await deps.stateEvents.loadById(
      room.rules,
      pending.map((row) => row.event_id),
    );
    for (const row of pending) {
      const redaction = redactions.get(row.event_id)?.event;
      if (redaction === undefined) continue;
      if (row.status === eventStatus.softFailed) await show(room, redaction, row);
      await apply(room, redaction, row.redaction_nid);
    }
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
