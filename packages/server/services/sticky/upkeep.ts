import { findRoomVersion } from '@portico/protocol';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  dropExpiredStickyEvents,
  emptySoftFailed,
  type EndedSoftFailedRow,
  endStickiness,
  readEndedSoftFailed,
  readStickyEndsSoonest,
  readStickyToRelease,
  releaseStickyEvent,
} from '@portico/storage/stores/events/sticky-events.ts';
import { emptiedPieces } from '../rooms/receiving/emptied.ts';
import { dropDeliveredSticky, hasStickyDeliveries } from '@portico/storage/stores/events/sticky-deliveries.ts';

/** Lets go of sticky events that have ended, and tells of those for which there was no place before. */
export interface StickyUpkeep {
  /** Does so now. */
  run(): Promise<void>;
  close(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly log: { warn(details: object, message: string): void };
  /** Milliseconds. */
  readonly every?: number;
};

const usualPause = 60_000;
const droppedAtOnce = 10_000;
const releasedAtOnce = 500;
const emptiedAtOnce = 200;
/** An event may still be being judged once more whose time has come meanwhile: that is over in so many milliseconds. */
const underWay = 10 * 60_000;

/** What has ended is told to nobody, whether or not it is still here: this keeps the table small. */
export function createStickyUpkeep({ db, now, log, every = usualPause }: Dependencies): StickyUpkeep {
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    const at = now();
    const [soonest, failed, held, hasDeliveries] = await Promise.all([
      readStickyEndsSoonest(db),
      readEndedSoftFailed(db, at - underWay, emptiedAtOnce),
      // Others may have sent any number that has to wait.
      readStickyToRelease(db.long, at, releasedAtOnce),
      hasStickyDeliveries(db),
    ]);
    const set = createWriteSet();
    if (soonest !== undefined && soonest <= at) dropExpiredStickyEvents(set, at, droppedAtOnce);
    for (const event of failed) letGo(set, event);
    for (const event of held) releaseStickyEvent(set, event, set.takePosition());
    if (hasDeliveries) dropDeliveredSticky(set, droppedAtOnce);
    if (set.writes.length > 0) await db.commit(set);
  }

  /** It can come back no more. */
  function letGo(set: WriteSet, row: EndedSoftFailedRow): void {
    const { event_nid: nid, state_key: stateKey, before_content: before, content, after_content: after } = row;
    const rules = findRoomVersion(row.room_version);
    const isKept = stateKey !== null || row.type === 'm.room.redaction' || rules === undefined;
    if (!isKept) emptySoftFailed(set, nid, emptiedPieces(rules, { before, content, after }));
    endStickiness(set, nid);
  }

  function run(): Promise<void> {
    working ??= work().finally(() => {
      working = undefined;
    });
    return working;
  }

  const timer = setInterval(() => {
    run().catch((error: unknown) => log.warn({ err: error }, 'Looking after sticky events failed'));
  }, every).unref();

  return {
    run,
    async close() {
      clearInterval(timer);
      await working?.catch(() => undefined);
    },
  };
}
