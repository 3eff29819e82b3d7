import { findGapBehind } from '@portico/storage/stores/events/history.ts';
import type { HistoryContext } from './context.ts';
import { type Page, type PageRequest, readPage, type SeenEvent } from './page.ts';

/** Attempts to fetch something for one page, and the time for them in milliseconds. */
const mostFills = 5;
const mostTime = 20_000;

/**
 * A page for which events that are missing here are fetched from other servers, as far as they have them. Where that takes
 * too long, a page backwards ends at the gap, and the next one goes on there.
 */
export async function readFilledPage(
  context: Pick<HistoryContext, 'db' | 'visibility' | 'history'>,
  roomId: string,
  request: Omit<PageRequest, 'stopAtGap'>,
): Promise<Page> {
  const { direction, limit } = request;
  const { history } = context;
  const { roomNid } = request.range;
  const room = { roomNid, roomId };
  const backwards = direction === 'backwards';
  const crossed = new Set<number>();
  const events: SeenEvent[] = [];
  let { after, upTo } = request.range;
  let fills = 0;
  const end = performance.now() + mostTime;

  async function fillGap(gap: number): Promise<boolean> {
    const filled = fills++ < mostFills && performance.now() < end ? await history.fillGap(room, gap) : 'later';
    if (filled === 'never' || (filled === 'later' && !backwards)) crossed.add(gap);
    return filled !== 'later' || !backwards;
  }

  /** Fills the gap in front of which a page backwards has ended, where there is one. Whether it may go on there. */
  async function goesOnBelow(place: number): Promise<boolean> {
    for (;;) {
      const gap = await findGapBehind(context.db, roomNid, place);
      if (gap === undefined || crossed.has(gap) || after >= gap - 1) return true;
      // What came may all have been rejected: then something else is missing at the same place.
      if (!(await fillGap(gap))) return false;
    }
  }

  // What the page before ended with may be what lies behind a gap.
  if (backwards && Number.isFinite(upTo) && !(await goesOnBelow(upTo))) return { events, next: upTo };
  for (;;) {
    const page = await readPage(context, {
      ...request,
      range: { roomNid, after, upTo },
      limit: limit - events.length,
      stopAtGap: (order) => !crossed.has(order),
    });
    events.push(...page.events);
    const { next, gap } = page;
    if (gap === undefined || next === undefined || events.length >= limit) return { events, next };
    if (backwards) {
      upTo = next;
      if (!(await goesOnBelow(next))) return { events, next };
    } else {
      after = next;
      await fillGap(gap);
    }
  }
}
