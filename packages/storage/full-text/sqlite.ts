import type { FullText } from './full-text.ts';

const roomScope = (roomNid: number): string => `r${roomNid}`;
const partScope = (part: string): string => `p${part}`;
const quoted = (word: string): string => `"${word.replaceAll('"', '""')}"`;

const countUpTo = (limit: string): string =>
  `(select count(*) from (select 1 from message_search where message_search match $1 limit ${limit})) as matches`;

/** FTS5 without the texts: the row ID is the event's number. */
export const sqliteFullText: FullText = {
  pack: (documents) =>
    JSON.stringify(
      documents.map(({ eventNid, roomNid, part, words }) => [
        eventNid,
        words.join(' '),
        `${roomScope(roomNid)} ${partScope(part)}`,
      ]),
    ),
  insert: {
    name: 'full-text.insert',
    text: `insert into message_search (rowid, words, scope)
      select e.event_nid, d.value ->> 1, d.value ->> 2
      from json_each(cast($1 as text)) d cross join events e
      where e.event_nid = cast(d.value ->> 0 as bigint) and e.redacted_by is null
        and not exists (select 1 from message_search m where m.rowid = e.event_nid)`,
  },
  removeRoom: {
    name: 'full-text.remove-room',
    text: `delete from message_search where rowid in (
      select rowid from message_search where message_search match 'scope:' || $1 limit $2
    )`,
  },
  roomScope,
  query({ words, rooms, parts }) {
    const any = (scopes: readonly string[]) => `scope:(${scopes.join(' OR ')})`;
    const inParts = parts === undefined ? '' : ` AND ${any(parts.map(partScope))}`;
    return `words:(${words.map(quoted).join(' AND ')}) AND ${any(rooms.map(roomScope))}${inParts}`;
  },
  newest: {
    name: 'full-text.newest',
    text: `select rowid as event_nid, 0.0 as rank, ${countUpTo('$4')} from message_search
      where message_search match $1 and rowid < $2 order by rowid desc limit $3`,
  },
  best: {
    name: 'full-text.best',
    // Scopes say where to look, not how well something fits.
    text: `select rowid as event_nid, -bm25(message_search, 1.0, 0.0) as rank, ${countUpTo('$3')} from message_search
      where message_search match $1 order by bm25(message_search, 1.0, 0.0), rowid desc limit $2`,
  },
};
