import type { ClientEventRow } from '@portico/storage/stores/timeline.ts';
import { renderEvent } from './client-event.ts';
import type { ReadingContext, Requester } from './context.ts';
import { readRedactions } from './event-reader.ts';

export type Rendered = { readonly row: ClientEventRow; readonly membership?: string | undefined };

/** A JSON array of events of one room. */
export async function rawRender(
  { db, now }: Pick<ReadingContext, 'db' | 'now'>,
  requester: Requester,
  roomId: string,
  events: readonly Rendered[],
): Promise<string> {
  const redactions = await readRedactions(
    db,
    events.map(({ row }) => row),
  );
  const style = { roomId, now: now(), device: requester, redactions };
  let text = '[';
  for (const { row, membership } of events) {
    if (text.length > 1) text += ',';
    text += renderEvent(row, { ...style, membership });
  }
  return `${text}]`;
}
