import type { Reader } from '@portico/storage';
import {
  readNewest,
  readOldest,
  type ClientEventRow,
  type TimelineRange,
} from '@portico/storage/stores/events/timeline.ts';
import { asSeen, type RoomViewer, type Sight, type Visibility } from './visibility.ts';

export type SeenEvent = { readonly row: ClientEventRow; readonly membership: Sight['membership'] };

export type Page = {
  /** In the order of the direction. */
  readonly events: readonly SeenEvent[];
  /** Where the next page starts; `undefined` if the range holds nothing more. */
  readonly next: number | undefined;
  /** The place of the event behind the gap that the page ended at. */
  readonly gap?: number;
};

export type PageRequest = {
  readonly range: TimelineRange;
  readonly direction: 'backwards' | 'forwards';
  readonly limit: number;
  readonly viewer: RoomViewer;
  /** Message events of these people are left out. */
  readonly ignored: ReadonlySet<string>;
  readonly test: ((row: ClientEventRow) => boolean) | undefined;
  /** Whether the page ends where something is missing in front of the event at a place; by default it does not. */
  readonly stopAtGap?: (order: number) => boolean;
};

/** A page ends early after that many events that the reader does not get, and says where to go on. */
const maxScanned = 2000;
const maxBatch = 500;

/** Reads on over what the viewer may not see or did not ask for, so that such stretches do not end a page. */
export async function readPage(
  { db, visibility }: { readonly db: Reader; readonly visibility: Visibility },
  { range, direction, limit, viewer, ignored, test, stopAtGap }: PageRequest,
): Promise<Page> {
  const events: SeenEvent[] = [];
  let { after, upTo } = range;
  let batch = limit + 1;
  for (let scanned = 0; scanned < maxScanned;) {
    const stretch = { roomNid: range.roomNid, after, upTo };
    const rows = await (direction === 'backwards' ? readNewest : readOldest)(db, stretch, batch);
    const sights = await visibility.judge(viewer, rows);
    for (const sent of rows) {
      const order = sent.room_order ?? 0;
      // One event too many was asked for: that it is there means that there is more.
      if (events.length === limit) return { events, next: direction === 'backwards' ? order : order - 1 };
      const isGap = sent.missing_before !== null && stopAtGap?.(order) === true && order - 1 > range.after;
      if (isGap && direction === 'forwards') return { events, next: after, gap: order };
      if (direction === 'backwards') upTo = order - 1;
      else after = order;
      const sight = sights.get(sent.event_nid);
      const row = asSeen(sent, sight);
      const isIgnored = row !== undefined && row.state_key === null && ignored.has(row.sender);
      if (sight !== undefined && row !== undefined && !isIgnored && test?.(row) !== false) {
        events.push({ row, membership: sight.membership });
      }
      if (isGap) return { events, next: order - 1, gap: order };
    }
    if (rows.length < batch) return { events, next: undefined };
    scanned += rows.length;
    batch = Math.min(batch * 2, maxBatch);
  }
  return { events, next: direction === 'backwards' ? upTo : after };
}
