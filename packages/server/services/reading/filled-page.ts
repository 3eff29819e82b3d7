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

  // What the page before ended with may be what lies behind a gap.
  const behind = backwards && Number.isFinite(upTo) ? await findGapBehind(context.db, roomNid, upTo) : undefined;
  if (behind !== undefined && after < behind - 1 && !(await fillGap(behind))) return { events, next: upTo };
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
    if (backwards) upTo = next;
    else after = next;
    if (!(await fillGap(gap))) return { events, next };
  }
}
