import type { RoomVersionRules } from '@portico/protocol';
import { createWriteSet } from '@portico/storage';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { addEventOutsideTimeline, type NewEvent } from '@portico/storage/stores/events/events-write.ts';
import {
  addHistoryEvent,
  type GapRow,
  releaseHistoryEvent,
  setMissingBefore,
} from '@portico/storage/stores/events/history.ts';
import { addToldState } from '@portico/storage/stores/events/told-states.ts';
import { addPendingRedaction } from '@portico/storage/stores/events/pending-redactions.ts';
import { appendRelation } from '../../relations/append-relation.ts';
import { stickinessOf } from '../../rooms/stickiness.ts';
import { emptied, mayComeBack } from '../../rooms/receiving/emptied.ts';
import { pendingOf } from '../../rooms/receiving/redaction-gate.ts';
import type { ImportDependencies } from '../../rooms/importing/import-dependencies.ts';
import type { Gated } from './gate-redactions.ts';
import type { JudgedEvent, JudgedStretch } from './judge-stretch.ts';
import { unplacedEvent } from '../../rooms/unplaced-event.ts';

/** Where a stretch goes, from the place of its newest event downwards; and what is known not to be there of what it follows. */
export type StretchPlace = {
  readonly roomNid: number;
  readonly rules: RoomVersionRules;
  readonly gap: GapRow;
  readonly newest: number;
  /** Whether it ends at the event behind the gap, so that nothing is missing between the two. */
  readonly adjoins: boolean;
};

/** Gives the events of a stretch their places, and moves the gap behind the oldest of them: all of that or nothing. */
export async function writeStretch(
  { db, states, now }: Pick<ImportDependencies, 'db' | 'states'> & { readonly now: () => number },
  { roomNid, rules, gap, newest, adjoins }: StretchPlace,
  missing: readonly string[],
  { events, edits }: JudgedStretch,
  { withheld, released }: Gated,
): Promise<readonly JudgedEvent[]> {
  const fresh = events.filter(
    ({ isRejected, known = eventStatus.outlier }) => !isRejected && known === eventStatus.outlier,
  );
  const placed = fresh.filter(({ received }) => !withheld.has(received.event.eventId));
  const set = createWriteSet();
  if (adjoins) setMissingBefore(set, gap, placed.length === 0 ? missing : []);
  for (const edit of edits) states.append(set, roomNid, edit);
  for (const each of events) {
    if (!each.isRejected || each.known !== undefined) continue;
    const stored = toStored(roomNid, each, gap);
    const refused = each.isDoubtful ? { ...stored, status: eventStatus.outlier } : stored;
    addEventOutsideTimeline(set, mayComeBack(refused, false) ? refused : emptied(rules, refused));
  }
  for (const each of fresh) {
    const kept = withheld.get(each.received.event.eventId);
    if (kept === undefined) continue;
    addEventOutsideTimeline(set, { ...toStored(roomNid, each, gap), status: eventStatus.softFailed });
    if (kept.waitsFor !== undefined) addPendingRedaction(set, kept.waitsFor, { ...each, roomNid });
  }
  for (const { eventNid, isTold, known = eventStatus.outlier } of events) {
    if (isTold && known === eventStatus.outlier) addToldState(set, eventNid, roomNid);
  }
  const slots = placed.flatMap((each) => [each, ...(released.get(each.received.event.eventId) ?? [])]);
  for (const [index, each] of slots.entries()) {
    const order = newest - (slots.length - 1 - index);
    if (!('received' in each)) {
      const { event, eventNid, pieces } = each;
      releaseHistoryEvent(set, eventNid, order, gap.lower_ordinal);
      const stored = unplacedEvent({ eventNid, roomNid, status: eventStatus.accepted }, event, pieces);
      appendRelation(set, event, stored, { order });
      continue;
    }
    const sticky = stickinessOf(each.received.event, now(), false);
    const stored = { ...toStored(roomNid, each, gap), sticky };
    const isEdge = index === 0 && missing.length > 0;
    addHistoryEvent(set, isEdge ? { ...stored, missingBefore: missing } : stored, order);
    appendRelation(set, each.received.event, stored, { order });
    const redacts = pendingOf(rules, each.received.event, each.hasRedactionPower);
    if (redacts !== undefined) addPendingRedaction(set, redacts, { ...each, roomNid });
  }
  let committed = false;
  try {
    await db.commit(set);
    committed = true;
  } finally {
    for (const edit of edits) states.settle(edit, committed);
  }
  return placed;
}

function toStored(roomNid: number, judged: JudgedEvent, gap: GapRow): NewEvent {
  const { received, eventNid, known, isRedacted, isRejected, stateBefore, stateAfter, replacesNid } = judged;
  const { event, pieces } = received;
  const status = isRejected ? eventStatus.rejected : eventStatus.accepted;
  return {
    ...unplacedEvent({ eventNid, roomNid, status }, event, pieces),
    stateBefore: stateBefore.rootId,
    stateAfter: stateAfter.rootId === stateBefore.rootId ? undefined : stateAfter.rootId,
    replacesNid,
    // What is older than what people have read counts for nobody.
    ordinal: gap.lower_ordinal,
    isKnown: known !== undefined,
    isRedacted,
  };
}
