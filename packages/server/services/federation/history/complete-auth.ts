import type { ServerName } from '@portico/protocol';
import { readHistoryEvents } from '@portico/storage/stores/events/history.ts';
import type { ImportDependencies } from '../../rooms/importing/import-dependencies.ts';
import { importOutliers } from '../../rooms/importing/import-room.ts';
import type { CheckedPdu } from '../rooms/check-pdus.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';
import type { HistorySource } from './history-source.ts';

/** Times that a server is asked by which events others are allowed. */
const mostQuestions = 5;

/** Sees to it that the state events among some, and the events by which all of them are allowed, are stored. */
export async function completeAuth(
  { source, importing }: { readonly source: HistorySource; readonly importing: ImportDependencies },
  room: FederatedRoom,
  server: ServerName,
  events: readonly CheckedPdu[],
): Promise<void> {
  const named = new Set(events.flatMap(({ event }) => event.authEvents));
  const own = new Set(events.map(({ event }) => event.eventId));
  const here = new Set((await readHistoryEvents(importing.db, [...named])).map((row) => row.event_id));
  const fetched = new Map<string, CheckedPdu>();
  const isMissing = (eventId: string) => !own.has(eventId) && !here.has(eventId) && !fetched.has(eventId);
  // The newest first: what allows it is most likely to be what allows the others.
  let questions = 0;
  for (const { event } of events.toReversed()) {
    if (questions >= mostQuestions || !event.authEvents.some(isMissing)) continue;
    questions += 1;
    for (const each of await source.authChain(room, server, event.eventId)) fetched.set(each.event.eventId, each);
  }
  await importOutliers(
    importing,
    room,
    [...fetched.values(), ...events].filter(({ event }) => event.stateKey !== undefined),
  );
}
