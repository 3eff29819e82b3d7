import type { EventFields } from '@portico/protocol/sync-filter/event-fields.ts';
import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { pickEventFields, renderEvent, type EventStyle } from '../reading/client-event.ts';

/** How a filter wants events: some fields only, or as they travel between servers. */
export type EventForm = {
  readonly fields: EventFields | undefined;
  readonly pdus: ReadonlyMap<number, string> | undefined;
};

export type RenderStyle = Pick<EventStyle, 'now' | 'device' | 'redactions' | 'bundles'> & {
  readonly membershipOf: (row: ClientEventRow) => string | undefined;
};

/** Events as JSON texts with commas between them. */
export function renderEvents(rows: readonly ClientEventRow[], form: EventForm, style: RenderStyle): string {
  const { now, device, redactions, bundles } = style;
  let text = '';
  for (const row of rows) {
    if (text !== '') text += ',';
    const pdu = form.pdus?.get(row.event_nid);
    const membership = style.membershipOf(row);
    const event = pdu ?? renderEvent(row, { roomId: undefined, now, device, redactions, bundles, membership });
    text += form.fields === undefined ? event : pickEventFields(event, form.fields);
  }
  return text;
}
