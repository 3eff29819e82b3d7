import type { Bundles } from '../reading/client-event.ts';
import { readBundles } from '../relations/bundles.ts';
import type { SyncContext, SyncPass } from './pass.ts';
import type { Span, Timeline } from './timelines.ts';

/** What other events, up to where the answer goes, say about those in timelines. */
export function readTimelineBundles(
  context: SyncContext,
  pass: Pick<SyncPass, 'userId' | 'deviceId' | 'ignored' | 'now'>,
  rooms: readonly { readonly span: Span; readonly timeline: Pick<Timeline, 'rows'> }[],
): Promise<Bundles> {
  return readBundles(
    { db: context.db, visibility: context.visibility, now: () => pass.now },
    pass,
    rooms.map(({ span, timeline }) => ({
      roomNid: span.nid,
      roomId: span.id,
      viewer: span.viewer,
      end: span.upTo,
      rows: timeline.rows,
    })),
  );
}
