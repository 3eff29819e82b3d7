import type { FullText, FullTextQuery } from './full-text.ts';

const roomScope = (roomNid: number): string => `r${roomNid}`;
const partScope = (part: string): string => `p${part}`;
const quoted = (word: string): string => `"${word.replaceAll('"', '""')}"`;
const any = (scopes: readonly string[]): string => `scope:(${scopes.join(' OR ')})`;

function matching({ words, parts }: Omit<FullTextQuery, 'rooms'>): string {
  const inParts = parts === undefined ? '' : ` AND ${any(parts.map(partScope))}`;
  return `words:(${words.map(quoted).join(' AND ')})${inParts}`;
}

// Scopes say where to look, not how well something fits.
const bm25 = 'bm25(message_search, 1.0, 0.0)';

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
  query: ({ rooms, ...query }) => `${matching(query)} AND ${any(rooms.map(roomScope))}`,
  newest: {
    name: 'full-text.newest',
    text: `select rowid as event_nid, 0.0 as rank from message_search
      where message_search match $1 and rowid < $2 order by rowid desc limit $3`,
  },
  best: {
    name: 'full-text.best',
    text: `select rowid as event_nid, -${bm25} as rank from message_search
      where message_search match $1 order by ${bm25}, rowid desc limit $2`,
  },
  rare: {
    query: matching,
    packWords: (words) => JSON.stringify(words.map((word) => `words:${quoted(word)}`)),
    matches: {
      name: 'full-text.rare',
      text: `with rarest as materialized (
          select min((
            select count(*) from (select 1 from message_search where message_search match w.value limit $3 + 1)
          )) as documents from json_each($2) w
        ), found as materialized (
          select rowid as event_nid, case when $4 = 1 then -${bm25} else 0.0 end as rank from message_search
          where message_search match $1 and (select documents from rarest) <= $3
        )
        select case when documents <= $3 then (
          select json_group_array(json_array(f.event_nid, e.room_nid, f.rank))
          from found f cross join events e on e.event_nid = f.event_nid
        ) end as matches from rarest`,
    },
  },
};
