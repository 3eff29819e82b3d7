import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { endOfPosition } from '../reading/tokens.ts';
import { renderEvents } from '../sync/render.ts';

export const plainForm = { fields: undefined, pdus: undefined };

/** State events, and entries that are no more, as a JSON array. */
export function stateText(
  rows: readonly ClientEventRow[],
  gone: readonly ClientEventRow[],
  redactions: ReadonlyMap<number, ClientEventRow>,
  now: number,
): string {
  const style = { now, redactions, device: undefined, membershipOf: () => undefined };
  const events = renderEvents(rows, plainForm, style);
  // "The list may include a `StateStub` type […] that only has `type` and `state_key` fields."
  const stubs = gone.map(({ type, state_key }) => JSON.stringify({ type, state_key }));
  return `[${[...(events === '' ? [] : [events]), ...stubs].join(',')}]`;
}

/** How many events came after what the client shows. */
export function countLive(rows: readonly ClientEventRow[], since: number | undefined): number {
  if (since === undefined) return 0;
  const end = endOfPosition(since);
  return rows.filter((row) => (row.room_order ?? 0) > end).length;
}
