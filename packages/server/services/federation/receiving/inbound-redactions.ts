import type { RoomEvent } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import {
  dropPendingRedaction,
  dropPendingRedactions,
  type OverdueRedaction,
  type PendingRedaction,
  readDueRedactions,
  readOverdueRedactions,
  readPendingRedactions,
  readPendingTargets,
  readRedactionPowers,
} from '@portico/storage/stores/events/pending-redactions.ts';
import { findRedactionTarget, type RedactionTarget } from '@portico/storage/stores/events/redactions.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import { policyRule } from '../../rooms/receiving/apply-policy.ts';
import { MissingEventsError, type Result } from '../../rooms/receiving/received-event.ts';
import type { Receiver } from '../../rooms/receiving/receiver.ts';
import { judgeNow, mayRedactIn, readTargets, redactedId } from '../../rooms/receiving/redaction-gate.ts';
import { applyRedaction } from '../../rooms/redact.ts';
import type { StateEvents } from '../../rooms/state-events.ts';
import type { UnreadService } from '../../unread/unread-service.ts';
import type { FederatedRoom, FederatedRooms } from '../rooms/federated-rooms.ts';

export type AcceptedEvent = { readonly event: RoomEvent; readonly eventNid: number };

/** A redaction with what was found, when it came, of its sender's power. */
type JudgedRedaction = AcceptedEvent & { readonly hasPower: boolean };

/** Redactions of other servers, and events that such a redaction came before. */
export interface InboundRedactions {
  /**
   * To be told of events that have become part of their room, and of redactions that wait for what they redact, which may have
   * come meanwhile; answers for which of them it failed, and why.
   */
  settle(
    room: FederatedRoom,
    accepted: readonly AcceptedEvent[],
    waiting: readonly RoomEvent[],
  ): Promise<ReadonlyMap<string, unknown>>;
  /** Applies what a process that ended between an event and its redaction has left. */
  resume(): Promise<void>;
  close(): void;
}

type Dependencies = {
  readonly db: Database;
  readonly rooms: Pick<FederatedRooms, 'find'>;
  readonly serverName: string;
  readonly receiver: Pick<Receiver, 'receiveAll'>;
  readonly readState: ReadState;
  readonly stateEvents: StateEvents;
  readonly unread: Pick<UnreadService, 'appendRedaction'>;
  readonly now: () => number;
  readonly log: { warn(details: object, message: string): void };
};

/** More than ever is under way at one moment. */
const mostOverdue = 1000;
/** Redactions of one event that are looked at, and shown, together. */
const atOnce = 64;

export function createInboundRedactions(deps: Dependencies): InboundRedactions {
  const { db, rooms, serverName, unread, now, log } = deps;
  let isClosed = false;

  /** Redacts what is there to be redacted. What is not yet stays in mind, as the redaction's own commit has left it. */
  async function apply(room: FederatedRoom, redactions: readonly JudgedRedaction[]): Promise<void> {
    const named = redactions.map(({ event }) => event);
    const targets = new Map(await readTargets(db, room.rules, named));
    const set = createWriteSet();
    for (const { event, eventNid, hasPower } of redactions) {
      const target = targets.get(event.redacts ?? '');
      if (target === undefined) continue;
      if (target.redacted_by === null && mayRedactIn(room, event, target, hasPower)) {
        applyRedaction(set, room.rules, target, eventNid, now());
        unread.appendRedaction(set, target.event_nid);
        // "The first redaction of an event counts."
        targets.set(target.event_id, { ...target, redacted_by: eventNid });
      }
      dropPendingRedaction(set, target.event_id, eventNid);
    }
    if (set.writes.length > 0) await db.commit(set);
  }

  /**
   * Lets clients have what was kept from them while what it redacts was not here; all but those that the room's policy server
   * refuses. It has passed all other checks when it came: it redacts also where its sender has left the room since, or where what
   * it follows has no place.
   */
  async function show(
    room: FederatedRoom,
    redactions: readonly (JudgedRedaction & { readonly row: PendingRedaction })[],
  ): Promise<readonly JudgedRedaction[]> {
    const withheld = redactions.filter(({ row }) => row.status === eventStatus.softFailed);
    const results = await deps.receiver.receiveAll(
      room,
      withheld.map(({ event, row, hasPower }) => ({
        event,
        pieces: { before: row.before_content, content: row.content, after: row.after_content },
        isReconsidered: true,
        hadRedactionPower: hasPower,
      })),
    );
    const refused = new Set(withheld.filter((_, index) => isRefused(results[index])));
    return redactions.filter((each) => !refused.has(each));
  }

  /** Those of some accepted redactions that are still to be applied. */
  async function unsettled(room: FederatedRoom, accepted: readonly AcceptedEvent[]): Promise<JudgedRedaction[]> {
    const redactions = accepted.filter(({ event }) => event.redacts !== undefined);
    const targets = redactions.map(({ event }) => redactedId(room.rules, event)).filter((id) => id !== undefined);
    const nids = redactions.map(({ eventNid }) => eventNid);
    const powers = targets.length === 0 ? new Map() : await readRedactionPowers(db, targets, nids);
    return redactions
      .filter(({ eventNid }) => powers.has(eventNid))
      .map((each) => ({ ...each, hasPower: powers.get(each.eventNid) === 1 }));
  }

  /** Those of some that redact an event. */
  async function redacting(room: FederatedRoom, target: RedactionTarget, rows: readonly PendingRedaction[]) {
    const ids = rows.map((row) => row.event_id);
    const events = await deps.stateEvents.loadById(room.rules, ids);
    const now = judgeNow(deps.readState, room, []);
    const found: (JudgedRedaction & { readonly row: PendingRedaction })[] = [];
    for (const row of rows) {
      const stored = events.get(row.event_id)?.event;
      if (stored === undefined) continue;
      // Once it has been redacted itself, it says no longer what it redacts.
      const event = { ...stored, redacts: target.event_id };
      const hasPower = row.has_power === null ? (await now(event)).hasPower : row.has_power === 1;
      if (mayRedactIn(room, event, target, hasPower)) {
        found.push({ event, eventNid: row.redaction_nid, hasPower, row });
      }
    }
    return found;
  }

  /** Applies the redactions that came before an event, and forgets those that are none, and those behind the first that counts. */
  async function applyPending(room: FederatedRoom, eventId: string): Promise<void> {
    for (let after = -1; ;) {
      const target = await findRedactionTarget(db, eventId);
      const isRedacted = target !== undefined && target.redacted_by !== null;
      const rows = await readPendingRedactions(db, room.roomNid, eventId, { after, limit: isRedacted ? 1 : atOnce });
      const last = rows.at(-1);
      if (target === undefined || last === undefined) return;
      after = last.redaction_nid;
      const set = createWriteSet();
      if (isRedacted) dropPendingRedactions(set, eventId, room.roomNid);
      else {
        const redactions = await redacting(room, target, rows);
        await apply(room, room.isOurs ? await show(room, redactions) : redactions);
        for (const { redaction_nid: nid } of rows) dropPendingRedaction(set, eventId, nid);
      }
      await db.commit(set);
    }
  }

  /** Applies what waits for events of which it was not told that they have come. */
  async function applyDue(due: readonly OverdueRedaction[]): Promise<void> {
    for (const { event_id: eventId, room_id: roomId } of due) {
      if (isClosed) return;
      try {
        const room = await rooms.find(roomId, serverName);
        if (room !== undefined) await applyPending(room, eventId);
      } catch (error) {
        log.warn({ error, roomId, eventId }, 'An event could not be redacted that a redaction came before');
      }
    }
  }

  /** What has come with the state of a room, and not as news. */
  const stop = db.onChanges((batches) => {
    const changes = batches.flatMap((batch) => batch.changes).filter(({ kind }) => kind === 'redaction_due');
    if (changes.length === 0) return;
    readDueRedactions(db, [...new Set(changes.map(({ key }) => String(key)))])
      .then(applyDue)
      .catch((error: unknown) => log.warn({ error }, 'Redactions of events that have come could not be looked for'));
  });

  async function applyAllPending(
    room: FederatedRoom,
    eventIds: readonly string[],
  ): Promise<ReadonlyMap<string, unknown>> {
    const failures = new Map<string, unknown>();
    for (const eventId of await readPendingTargets(db, eventIds)) {
      try {
        await applyPending(room, eventId);
      } catch (error) {
        failures.set(eventId, error);
      }
    }
    return failures;
  }

  return {
    async settle(room, accepted, waiting) {
      const failures = new Map<string, unknown>();
      const redactions = accepted.filter(({ event }) => event.redacts !== undefined);
      try {
        await apply(room, await unsettled(room, redactions));
      } catch (error) {
        for (const { event } of redactions) failures.set(event.eventId, error);
      }
      // What came while its redaction was stored may not have seen that wait.
      const come = await readTargets(db, room.rules, waiting);
      const ids = [...accepted.map(({ event }) => event.eventId), ...come.keys()];
      for (const failure of await applyAllPending(room, ids)) failures.set(...failure);
      return failures;
    },
    resume: async () => applyDue(await readOverdueRedactions(db, mostOverdue)),
    close() {
      isClosed = true;
      stop();
    },
  };
}

function isRefused(result: Result | undefined): boolean {
  if (result?.kind === 'soft-failed') return result.rule === policyRule;
  if (result?.kind !== 'failed' || result.error instanceof MissingEventsError) return false;
  throw result.error;
}
