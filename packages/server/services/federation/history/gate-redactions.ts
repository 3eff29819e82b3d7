import type { PduPieces, RoomEvent } from '@portico/protocol';
import { readWithheldRedactions } from '@portico/storage/stores/events/pending-redactions.ts';
import type { ImportDependencies } from '../../rooms/importing/import-dependencies.ts';
import {
  findWithheld,
  mayRedactIn,
  readTargets,
  type Target,
  type Withheld,
} from '../../rooms/receiving/redaction-gate.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';
import type { JudgedEvent } from './judge-stretch.ts';

/** A redaction that was withheld until what it redacts came with a stretch. */
export type Released = { readonly event: RoomEvent; readonly eventNid: number; readonly pieces: PduPieces };

export type Gated = {
  /** Redactions of the stretch that are kept from clients, by their IDs. */
  readonly withheld: ReadonlyMap<string, Withheld>;
  /** What is shown behind an event of the stretch, by that event's ID. */
  readonly released: ReadonlyMap<string, readonly Released[]>;
};

type Dependencies = Pick<ImportDependencies, 'db' | 'stateEvents'>;

/** With one stretch. Of others, what they redact is redacted all the same. */
const mostReleased = 100;

/**
 * Sees what clients may be told of the redactions that come with a stretch of the past, and of those that waited for it. What
 * the room has become since does not matter: who had the power then has redacted, who got it later has not.
 */
export async function gateRedactions(
  { db, stateEvents }: Dependencies,
  room: FederatedRoom,
  events: readonly JudgedEvent[],
): Promise<Gated> {
  const taken = events.filter(({ isRejected }) => !isRejected);
  const alongside = new Map(
    taken.map(({ received: { event } }): [string, Target] => [
      event.eventId,
      { room_nid: room.roomNid, type: event.type, sender: event.sender },
    ]),
  );
  const stored = await readTargets(
    db,
    room.rules,
    taken.map(({ received }) => received.event),
  );
  const here = new Map<string, Target>([...stored, ...alongside]);
  const withheld = new Map<string, Withheld>();
  for (const { received, hasRedactionPower } of taken) {
    const why = findWithheld(room, received.event, here, hasRedactionPower);
    if (why !== undefined) withheld.set(received.event.eventId, why);
  }
  const rows = await readWithheldRedactions(db, room.roomNid, [...alongside.keys()], mostReleased);
  const ids = rows.map((row) => row.event_id);
  const waiting = await stateEvents.loadById(room.rules, ids);
  const released = new Map<string, Released[]>();
  for (const row of rows) {
    const event = waiting.get(row.event_id)?.event;
    const target = alongside.get(row.redacts);
    if (event === undefined || target === undefined) continue;
    if (!mayRedactIn(room, event, target, row.has_power === 1)) continue;
    const pieces = { before: row.before_content, content: row.content, after: row.after_content };
    const behind = released.get(row.redacts) ?? [];
    released.set(row.redacts, [...behind, { event, eventNid: row.redaction_nid, pieces }]);
  }
  return { withheld, released };
}
