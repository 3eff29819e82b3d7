import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { readBundles } from '../relations/bundles.ts';
import { noBundles, renderEvent, type Bundles } from './client-event.ts';
import type { RoomAccess } from './access.ts';
import type { ReadingContext, Requester } from './context.ts';
import { readRedactions } from './event-reader.ts';

export type Rendered = { readonly row: ClientEventRow; readonly membership?: string | undefined };

/** A JSON array of events of one room; with what relates to them, where it is said on what grounds they are read. */
export async function rawRender(
  context: Pick<ReadingContext, 'db' | 'now' | 'visibility' | 'ignored'>,
  requester: Requester,
  roomId: string,
  events: readonly Rendered[],
  access?: RoomAccess,
): Promise<string> {
  const bundles = access === undefined ? noBundles : await readBundlesFor(context, requester, access, events);
  return rawRenderWith(context, requester, roomId, events, bundles);
}

export async function readBundlesFor(
  context: Pick<ReadingContext, 'db' | 'now' | 'visibility' | 'ignored'>,
  requester: Requester,
  access: RoomAccess,
  events: readonly Rendered[],
): Promise<Bundles> {
  if (events.every(({ row }) => row.relation_kinds === null)) return noBundles;
  const ignored = await context.ignored.of(requester.userId);
  return readBundles(context, { ...requester, ignored }, [{ ...access, rows: events.map(({ row }) => row) }]);
}

export async function rawRenderWith(
  { db, now }: Pick<ReadingContext, 'db' | 'now'>,
  requester: Requester,
  roomId: string,
  events: readonly Rendered[],
  bundles: Bundles,
): Promise<string> {
  const redactions = await readRedactions(
    db,
    events.map(({ row }) => row),
  );
  const style = { roomId, now: now(), device: requester, redactions, bundles };
  let text = '[';
  for (const { row, membership } of events) {
    if (text.length > 1) text += ',';
    text += renderEvent(row, { ...style, membership });
  }
  return `${text}]`;
}
