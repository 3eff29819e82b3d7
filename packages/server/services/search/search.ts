import { writtenWords } from '@portico/protocol/words.ts';
import type { FullText } from '@portico/storage/full-text/full-text.ts';
import { readCurrentState } from '@portico/storage/stores/rooms/current-state-read.ts';
import { readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import type { CatchUp } from '../catch-up/catch-up.ts';
import { renderEvent, type EventStyle } from '../reading/client-event.ts';
import type { ReadingContext, Requester } from '../reading/context.ts';
import { readRedactions } from '../reading/event-reader.ts';
import { readBundles } from '../relations/bundles.ts';
import { readFoundContexts, type FoundContext } from './found-context.ts';
import { readRareMatches } from './match-list.ts';
import { readMatches, type FoundEvent } from './matches.ts';
import {
  formatSearchPlace,
  parseSearchRequest,
  type RoomEventsCriteria,
  type SearchPlace,
  type SearchRequest,
} from './search-request.ts';
import { searchedText } from './search-index.ts';
import { readSearchedRooms } from './searched-rooms.ts';

export interface Search {
  /** What is found in the rooms of the requester, as the JSON text of `room_events`. */
  roomEvents(requester: Requester, criteria: RoomEventsCriteria, nextBatch: string | undefined): Promise<string>;
}

type Dependencies = { readonly reading: ReadingContext; readonly fullText: FullText; readonly index: CatchUp };

const nothing = '{"count":0,"highlights":[],"results":[]}';

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3search} */
export function createSearch({ reading, fullText, index }: Dependencies): Search {
  return {
    async roomEvents(requester, criteria, nextBatch) {
      const request = parseSearchRequest(criteria, nextBatch);
      if (request.words.length === 0 || request.parts?.length === 0) return nothing;
      await index.settled();
      const rare = await readRareMatches(reading.db.long, fullText, request);
      const rooms = await readSearchedRooms(
        reading.db,
        requester.userId,
        request.filter,
        rare?.map((match) => match.room_nid),
      );
      if (rooms.size === 0) return nothing;
      const ignored = await reading.ignored.of(requester.userId);
      const { events, next, isLast, count } = await readMatches(reading, fullText, request, rooms, ignored, rare);
      const contexts = request.context && (await readFoundContexts(reading, events, request.context, ignored));
      const text = await renderResults(reading, { ...requester, ignored }, events, contexts);
      const highlights = JSON.stringify(highlightsOf(request.words, events));
      let body = `{"count":${count},"highlights":${highlights},"results":[${text.join(',')}]`;
      if (next !== undefined) body += `,"next_batch":"${formatSearchPlace({ ...next, group: request.place?.group })}"`;
      const goesOn = isLast ? undefined : next;
      if (request.groups.size > 0) body += `,"groups":${groupsText(events, request.groups, goesOn)}`;
      if (request.withState) body += `,"state":${await readStates(reading, requester, events)}`;
      return `${body}}`;
    },
  };
}

/** In so much of the texts it is looked how they write the words. */
const mostLookedThrough = 10_000;

/** Clients look for these letter by letter in what was found, but for their case. */
function highlightsOf(words: readonly string[], found: readonly FoundEvent[]): readonly string[] {
  if (found.length === 0) return [];
  const texts = found.map(({ row }) => searchedText(row) ?? '');
  return [...words, ...writtenWords(texts.join('\n').slice(0, mostLookedThrough), new Set(words))];
}

async function renderResults(
  context: ReadingContext,
  reader: Requester & { readonly ignored: ReadonlySet<string> },
  found: readonly FoundEvent[],
  contexts: readonly FoundContext[] | undefined,
): Promise<readonly string[]> {
  const rowsOfRooms = Map.groupBy(found, ({ room }) => room);
  const bundles = await readBundles(
    context,
    reader,
    [...rowsOfRooms].map(([room, events]) => ({ ...room, rows: events.map(({ row }) => row) })),
  );
  const around = contexts?.flatMap(({ before, after }) => [...before, ...after]) ?? [];
  const redactions = await readRedactions(context.db, around);
  const style = { now: context.now(), device: reader, redactions, membership: undefined };
  return found.map(({ row, room, rank, membership }, place) => {
    const inRoom: EventStyle = { ...style, roomId: room.roomId };
    const list = (rows: readonly ClientEventRow[]) => rows.map((other) => renderEvent(other, inRoom)).join(',');
    let text = `{"rank":${rank},"result":${renderEvent(row, { ...inRoom, membership, bundles })}`;
    const beside = contexts?.[place];
    if (beside !== undefined) {
      text += `,"context":{"start":"${beside.start}","end":"${beside.end}"`;
      text += `,"events_before":[${list(beside.before)}],"events_after":[${list(beside.after)}]`;
      if (beside.profiles !== undefined) text += `,"profile_info":${beside.profiles}`;
      text += '}';
    }
    return `${text}}`;
  });
}

/** Of each group there may be more behind all that is shown here: "if this field is absent, there are no more results in this group". */
function groupsText(
  found: readonly FoundEvent[],
  keys: SearchRequest['groups'],
  goesOn: SearchPlace | undefined,
): string {
  const groups = [...keys].map((key) => {
    const members = Map.groupBy(found, ({ row, room }) => (key === 'room_id' ? room.roomId : row.sender));
    let order = 0;
    return [
      key,
      Object.fromEntries(
        [...members].map(([value, events]) => [
          value,
          {
            order: ++order,
            results: events.map(({ row }) => row.event_id),
            next_batch: goesOn && formatSearchPlace({ ...goesOn, group: { key, value } }),
          },
        ]),
      ),
    ] as const;
  });
  return JSON.stringify(Object.fromEntries(groups));
}

/** "The current state for every room in the results", as far as the requester is still there. */
async function readStates(
  { db, now }: ReadingContext,
  requester: Requester,
  found: readonly FoundEvent[],
): Promise<string> {
  const rooms = new Map(found.filter(({ room }) => room.isJoined).map(({ room }) => [room.roomNid, room.roomId]));
  if (rooms.size === 0) return '{}';
  const nids = (await readCurrentState(db.long, [...rooms.keys()], 'all')).map((row) => row.event_nid);
  const rows = await readEvents(db.long, nids);
  const redactions = await readRedactions(db.long, rows);
  const style = { now: now(), device: requester, redactions, membership: undefined };
  const texts = [...Map.groupBy(rows, (row) => row.room_nid)].map(([roomNid, ofRoom]) => {
    const roomId = rooms.get(roomNid) ?? '';
    return `${JSON.stringify(roomId)}:[${ofRoom.map((row) => renderEvent(row, { ...style, roomId })).join(',')}]`;
  });
  return `{${texts.join(',')}}`;
}
