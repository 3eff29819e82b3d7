import type { FullText } from './full-text.ts';

/* Words have no punctuation in them, so these can be none of theirs. */
const roomScope = (roomNid: number): string => `!r${roomNid}`;
const partScope = (part: string): string => `!p${part}`;
const quoted = (word: string): string => `'${word.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

const matching = 'document @@ cast(cast($1 as text) as tsquery)';

/** A `tsvector` made of the words as they are: no dictionary, and the same for all languages. */
export const postgresFullText: FullText = {
  pack: (documents) =>
    JSON.stringify(
      documents.map(({ eventNid, roomNid, part, words }) => [
        eventNid,
        // Positions are what ranking counts; a word may have a few hundred of them.
        [
          ...words.slice(0, maxPositions).map((word, index) => `${quoted(word)}:${index + 1}`),
          ...words.slice(maxPositions).map(quoted),
          quoted(roomScope(roomNid)),
          quoted(partScope(part)),
        ].join(' '),
      ]),
    ),
  insert: {
    name: 'full-text.insert',
    text: `insert into message_search (rowid, document)
      select e.event_nid, cast(d.value ->> 1 as tsvector)
      from json_each(cast($1 as text)) d cross join events e
      where e.event_nid = cast(d.value ->> 0 as bigint) and e.redacted_by is null
      on conflict do nothing`,
  },
  removeRoom: {
    name: 'full-text.remove-room',
    text: `delete from message_search where rowid in (
      select rowid from message_search where document @@ cast('''' || cast($1 as text) || '''' as tsquery) limit $2
    )`,
  },
  roomScope,
  query({ words, rooms, parts }) {
    const any = (scopes: readonly string[]) => `(${scopes.map(quoted).join(' | ')})`;
    const inParts = parts === undefined ? '' : ` & ${any(parts.map(partScope))}`;
    return `${words.map(quoted).join(' & ')} & ${any(rooms.map(roomScope))}${inParts}`;
  },
  newest: {
    name: 'full-text.newest',
    text: `select rowid as event_nid, cast(0 as double precision) as rank from message_search
      where ${matching} and rowid < $2 order by rowid desc limit $3`,
  },
  best: {
    name: 'full-text.best',
    text: `select rowid as event_nid, cast(ts_rank(document, cast(cast($1 as text) as tsquery)) as double precision) as rank
      from message_search where ${matching}
      order by rank desc, rowid desc limit $2`,
  },
};

/** "Position values can range from 1 to 16383": https://www.postgresql.org/docs/current/textsearch-limitations.html */
const maxPositions = 16_383;
