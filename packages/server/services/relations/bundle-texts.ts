import type { EditRow, ReferenceRow } from '@portico/storage/stores/events/relations-read.ts';
import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { type Bundles, noBundles } from '../reading/client-event.ts';
import type { ThreadSummary } from './thread-summary.ts';

/** An event as clients get it, with what is told of it in turn. */
export type Render = (row: ClientEventRow, bundles: Bundles) => string;

/** Events by number that the reader may see. */
export type Shown = ReadonlyMap<number, ClientEventRow>;

/** The last edit of an event: a member of `m.relations`, or `undefined` where there is none to show. */
export function editText(edits: readonly EditRow[] | undefined, shown: Shown, render: Render): string | undefined {
  const row = edits?.[0] && shown.get(edits[0].event_nid);
  return row === undefined || row.redacted_by !== null ? undefined : `"m.replace":${render(row, noBundles)}`;
}

/** The thread that starts at an event. */
export function threadText(
  thread: ThreadSummary | undefined,
  shown: Shown,
  render: (row: ClientEventRow) => string,
): string | undefined {
  const latest = thread && shown.get(thread.latestNid);
  if (thread === undefined || latest === undefined) return undefined;
  const { count, participated } = thread;
  return `"m.thread":{"latest_event":${render(latest)},"count":${count},"current_user_participated":${participated}}`;
}

/** What refers to an event. */
export function referenceText(references: readonly ReferenceRow[]): string | undefined {
  if (references.length === 0) return undefined;
  const ids = references.map((row) => `{"event_id":${JSON.stringify(row.event_id)}}`);
  return `"m.reference":{"chunk":[${ids.join(',')}]}`;
}
