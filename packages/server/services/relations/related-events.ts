import { readRelated, type RelatedRange, maxDepth } from '@portico/storage/stores/events/relations-read.ts';
import { readEvents } from '@portico/storage/stores/events/timeline.ts';
import type { ReadingContext, Requester } from '../reading/context.ts';
import { getVisibleEvent } from '../reading/one-event.ts';
import type { SeenEvent } from '../reading/page.ts';
import { rawRender } from '../reading/render.ts';
import { endOfPosition, formatPlace, parsePlaceIfGiven } from '../reading/tokens.ts';
import { asSeen, type RoomViewer } from '../reading/visibility.ts';

export type RelatedRequest = {
  readonly roomId: string;
  readonly eventId: string;
  readonly relType: string | undefined;
  readonly eventType: string | undefined;
  readonly direction: 'backwards' | 'forwards';
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly limit: number | undefined;
  /** Whether events that relate to related events are wanted too. */
  readonly recurse: boolean;
};

const defaultLimit = 20;
const maxLimit = 500;
/** A page ends early after that many events that the reader does not get. */
const maxScanned = 2000;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventid} */
export async function readRelatedEvents(
  context: ReadingContext,
  requester: Requester,
  request: RelatedRequest,
): Promise<string> {
  const { direction, relType, eventType, recurse } = request;
  const access = await context.access.enter(requester.userId, request.roomId);
  await getVisibleEvent(context, access, request.eventId);
  const newest = Math.min(access.end, endOfPosition(context.db.currentPosition()));
  const start = parsePlaceIfGiven(request.from, 'from');
  const stop = parsePlaceIfGiven(request.to, 'to');
  const range =
    direction === 'backwards'
      ? { after: stop ?? -1, upTo: Math.min(start ?? newest, newest) }
      : { after: start ?? -1, upTo: Math.min(stop ?? newest, newest) };
  const limit = Math.min(Math.max(request.limit ?? defaultLimit, 1), maxLimit);
  const { events, next } = await readPage(
    context,
    { ...range, roomNid: access.roomNid, targetId: request.eventId, relType, eventType, recurse },
    { direction, limit, viewer: access.viewer, ignored: await context.ignored.of(requester.userId) },
  );
  let text = `{"chunk":${await rawRender(context, requester, access.roomId, events, access)}`;
  if (next !== undefined) text += `,"next_batch":"${formatPlace(next)}"`;
  if (start !== undefined) text += `,"prev_batch":"${formatPlace(start)}"`;
  if (recurse) text += `,"recursion_depth":${maxDepth}`;
  return `${text}}`;
}

type PageRequest = {
  readonly direction: 'backwards' | 'forwards';
  readonly limit: number;
  readonly viewer: RoomViewer;
  readonly ignored: ReadonlySet<string>;
};

async function readPage(
  { db, visibility }: ReadingContext,
  range: RelatedRange,
  { direction, limit, viewer, ignored }: PageRequest,
): Promise<{ readonly events: readonly SeenEvent[]; readonly next: number | undefined }> {
  const events: SeenEvent[] = [];
  const reader = range.recurse ? db.long : db;
  let { after, upTo } = range;
  for (let scanned = 0; scanned < maxScanned;) {
    const related = await readRelated(reader, { ...range, after, upTo }, direction, limit + 1);
    const byNid = new Map(
      (
        await readEvents(
          db,
          related.map((row) => row.event_nid),
        )
      ).map((row) => [row.event_nid, row]),
    );
    const sights = await visibility.judge(viewer, [...byNid.values()]);
    for (const { event_nid: nid, room_order: order } of related) {
      if (events.length === limit) return { events, next: direction === 'backwards' ? order : order - 1 };
      if (direction === 'backwards') upTo = order - 1;
      else after = order;
      const sent = byNid.get(nid);
      const sight = sights.get(nid);
      const row = sent && asSeen(sent, sight);
      if (row === undefined || sight === undefined) continue;
      if (row.state_key === null && ignored.has(row.sender)) continue;
      events.push({ row, membership: sight.membership });
    }
    if (related.length <= limit) return { events, next: undefined };
    scanned += related.length;
  }
  return { events, next: direction === 'backwards' ? upTo : after };
}
