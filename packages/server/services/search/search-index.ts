import { isJsonObject, parseJson } from '@portico/protocol';
import { searchWords } from '@portico/protocol/words.ts';
import type { Database } from '@portico/storage';
import type { FullText, FullTextDocument } from '@portico/storage/full-text/full-text.ts';
import { readSearchable, type SearchableRow } from '@portico/storage/stores/search/search-read.ts';
import { addToSearch, removeRoomFromSearch } from '@portico/storage/stores/search/search-write.ts';
import { createCatchUp, type CatchUp, type Portion } from '../catch-up/catch-up.ts';

/** What part of an event can be searched, by its type. */
const searchedParts: ReadonlyMap<string, string> = new Map([
  ['m.room.message', 'body'],
  ['m.room.name', 'name'],
  ['m.room.topic', 'topic'],
]);

const eventsPerPortion = 250;

/** Keeps the full text up to date, behind the events. Rooms that are encrypted are never in it. */
export function createSearchIndex(options: {
  readonly db: Database;
  readonly fullText: FullText;
  readonly onFailure: (error: unknown) => void;
}): CatchUp {
  const { db, fullText, onFailure } = options;

  async function work(after: number, upTo: number): Promise<Portion> {
    const rows = await readSearchable(db, after, upTo, eventsPerPortion);
    const reached = rows.length < eventsPerPortion ? upTo : (rows.at(-1)?.stream_position ?? upTo);
    const documents = rows.flatMap(toDocument);
    const encrypted = new Set(
      rows.filter(({ type, state_key: key }) => type === 'm.room.encryption' && key === '').map((row) => row.room_nid),
    );
    return {
      reached,
      append(set) {
        addToSearch(set, fullText, documents);
        for (const roomNid of encrypted) removeRoomFromSearch(set, fullText, roomNid);
      },
    };
  }

  return createCatchUp({ db, name: 'search', work, onFailure, concerns: (kind) => kind === 'room' });
}

/** What of an event can be searched, or `undefined`. */
export function searchedText({
  type,
  content,
}: {
  readonly type: string;
  readonly content: string;
}): string | undefined {
  const parsed = parseJson(content);
  const text = isJsonObject(parsed) ? parsed[searchedParts.get(type) ?? ''] : undefined;
  return typeof text === 'string' ? text : undefined;
}

function toDocument(row: SearchableRow): FullTextDocument[] {
  const part = searchedParts.get(row.type);
  // Names and topics are state: an event of such a type without a state key is none.
  if (part === undefined || row.is_encrypted === 1 || (row.type === 'm.room.message') !== (row.state_key === null)) {
    return [];
  }
  const words = searchWords(searchedText(row) ?? '');
  return words.length === 0 ? [] : [{ eventNid: row.event_nid, roomNid: row.room_nid, part, words }];
}
