import { readThreads } from '@portico/storage/stores/events/threads.ts';
import { readEvents } from '@portico/storage/stores/events/timeline.ts';
import type { RoomAccess } from '../reading/access.ts';
import type { Bundles } from '../reading/client-event.ts';
import type { ReadingContext, Requester } from '../reading/context.ts';
import type { SeenEvent } from '../reading/page.ts';
import { rawRenderWith } from '../reading/render.ts';
import { endOfPosition, formatPlace, parsePlaceIfGiven } from '../reading/tokens.ts';
import { asSeen } from '../reading/visibility.ts';
import { readBundles } from './bundles.ts';

export type ThreadsRequest = {
  readonly roomId: string;
  readonly include: 'all' | 'participated';
  readonly limit: number | undefined;
  readonly from: string | undefined;
};

const defaultLimit = 20;
const maxLimit = 100;
const maxScanned = 1000;

/**
 * The roots of a room's threads, the one that was last written in first.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidthreads}
 */
export async function readRoomThreads(
  context: ReadingContext,
  requester: Requester,
  { roomId, include, limit: wanted, from }: ThreadsRequest,
): Promise<string> {
  const access = await context.access.enter(requester.userId, roomId);
  const newest = Math.min(access.end, endOfPosition(context.db.currentPosition()));
  const limit = Math.min(Math.max(wanted ?? defaultLimit, 1), maxLimit);
  const participant = include === 'participated' ? requester.userId : undefined;
  const roots: SeenEvent[] = [];
  const bundles = new Map<number, string>();
  let upTo = Math.min(parsePlaceIfGiven(from, 'from') ?? newest, newest);
  let next: number | undefined;
  for (let scanned = 0; ;) {
    const page = await readThreads(context.db, access.roomNid, upTo, limit + 1, participant);
    const shown = await readRoots(
      context,
      requester,
      access,
      page.map((thread) => thread.thread_nid),
    );
    for (const { thread_nid: nid, last_order: order } of page) {
      if (roots.length === limit) {
        next = order;
        break;
      }
      upTo = order - 1;
      const root = shown.roots.get(nid);
      const bundle = shown.bundles.get(nid);
      // What is left when all replies were redacted, or are not for the reader, is no thread.
      if (root === undefined || bundle?.includes('"m.thread":') !== true) continue;
      roots.push(root);
      // "State events do not currently receive bundled aggregations."
      if (root.row.state_key === null) bundles.set(nid, bundle);
    }
    scanned += page.length;
    if (next !== undefined || page.length <= limit) break;
    if (scanned >= maxScanned) {
      next = upTo;
      break;
    }
  }
  const end = next === undefined ? '' : `,"next_batch":"${formatPlace(next)}"`;
  return `{"chunk":${await rawRenderWith(context, requester, roomId, roots, bundles)}${end}}`;
}

async function readRoots(
  context: ReadingContext,
  requester: Requester,
  access: RoomAccess,
  nids: readonly number[],
): Promise<{ readonly roots: ReadonlyMap<number, SeenEvent>; readonly bundles: Bundles }> {
  const ignored = await context.ignored.of(requester.userId);
  const rows = await readEvents(context.db, nids);
  const sights = await context.visibility.judge(access.viewer, rows);
  const roots = new Map<number, SeenEvent>();
  for (const sent of rows) {
    const sight = sights.get(sent.event_nid);
    const row = asSeen(sent, sight);
    if (sight === undefined || row === undefined || (row.state_key === null && ignored.has(row.sender))) continue;
    roots.set(row.event_nid, { row, membership: sight.membership });
  }
  // A thread may start at a state event, too: whether anything is left of it is found as with any other.
  const shown = [...roots.values()].map(({ row }) => ({ ...row, state_key: null }));
  return { roots, bundles: await readBundles(context, { ...requester, ignored }, [{ ...access, rows: shown }]) };
}
