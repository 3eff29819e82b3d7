import { isJsonObject, parseJson } from '@portico/protocol';
import { parseRelation } from '@portico/protocol/relations/relation.ts';
import {
  type ContentFilter,
  looksAtRelations,
  passesEventFilter,
  passesEverything,
  passesRelations,
} from '@portico/protocol/sync-filter/event-filter.ts';
import type { Reader } from '@portico/storage';
import { readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { noRedactions } from './client-event.ts';

/** The redactions that were applied to any of the events, by number. */
export async function readRedactions(
  db: Reader,
  rows: readonly ClientEventRow[],
): Promise<ReadonlyMap<number, ClientEventRow>> {
  let nids: Set<number> | undefined;
  for (const { redacted_by: nid } of rows) if (nid !== null) (nids ??= new Set()).add(nid);
  if (nids === undefined) return noRedactions;
  return new Map((await readEvents(db, [...nids])).map((row) => [row.event_nid, row]));
}

/** A test of events, or nothing where all of them pass. */
export function eventTest(filter: ContentFilter): ((row: ClientEventRow) => boolean) | undefined {
  if (passesEverything(filter)) return undefined;
  const { containsUrl } = filter;
  const readsRelations = looksAtRelations(filter);
  return (row) =>
    passesEventFilter(filter, row) &&
    (containsUrl === undefined || hasUrl(row.content) === containsUrl) &&
    (!readsRelations || passesRelations(filter, relTypeOf(row.content)));
}

function relTypeOf(content: string): string | undefined {
  if (!content.includes('"m.relates_to":')) return undefined;
  const value = parseJson(content);
  return isJsonObject(value) ? parseRelation(value)?.type : undefined;
}

function hasUrl(content: string): boolean {
  if (!content.includes('"url":')) return false;
  const value = parseJson(content);
  return isJsonObject(value) && value['url'] !== undefined;
}
