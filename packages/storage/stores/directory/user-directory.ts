import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { ORDER_PER_POSITION } from '../events/event-row.ts';

export type DirectoryUserRow = {
  readonly user_id: string;
  readonly display_name: string | null;
  readonly avatar_url: string | null;
};

/** Words from one on, up to but without another. */
export type WordRange = readonly [from: string, to: string];

const selectUsers = sql<
  DirectoryUserRow,
  [from: string, to: string, others: string, searcher: string, maxWords: number, limit: number]
>(
  'user-directory.search',
  `with mine as materialized (
     select room_nid from memberships where user_id = $4 and membership = 'join'
   ), words as materialized (
     select word, user_id from directory_words where word >= $1 and word < $2 order by word limit $5
   )
   select u.user_id, u.display_name, u.avatar_url
   from words w cross join directory_users u
   where u.user_id = w.user_id
     and not exists (
       select 1 from json_each(cast($3 as text)) o where not exists (
         select 1 from directory_words d
         where d.user_id = w.user_id and d.word >= o.value ->> 0 and d.word < o.value ->> 1
       )
     )
     and exists (
       select 1 from memberships t
       where t.user_id = w.user_id and t.membership = 'join' and (
         w.user_id <> $4 and t.room_nid in (select room_nid from mine)
         or exists (select 1 from open_rooms r where r.room_nid = t.room_nid)
         or exists (select 1 from published_rooms p where p.room_nid = t.room_nid)
       )
     )
   order by w.word, w.user_id limit $6`,
);

/** Of people that match a prefix, those that are looked at. */
const maxWords = 5000;

/** Whom somebody may know of: who shares a room with them, or is in a room that anyone may find, join or read. */
export function searchUsers(
  reader: Reader,
  searcher: string,
  words: { readonly first: WordRange; readonly others: readonly WordRange[] },
  limit: number,
): Promise<DirectoryUserRow[]> {
  const [from, to] = words.first;
  return reader.all(selectUsers, [from, to, JSON.stringify(words.others), searcher, maxWords, limit]);
}

export type MovedUserRow = { readonly position: number; readonly user_id: string };

const selectMoved = sql<MovedUserRow, [after: number, upTo: number, limit: number]>(
  'user-directory.moved',
  `select position, user_id from (
     select c.position, c.user_id from membership_changes c where c.position > $1 and c.position <= $2
     union
     select c.position, m.user_id from membership_changes c cross join memberships m
     where c.position > $1 and c.position <= $2
       and m.room_nid = c.room_nid and m.membership = 'join' and m.room_order = c.position * ${ORDER_PER_POSITION}
   ) moved order by position limit $3`,
);

/**
 * Who came, went or changed their name in a room, in the order in which they did; and whom this server came to know of when the
 * room was joined through another one, at the moment of that.
 */
export function readMoved(reader: Reader, after: number, upTo: number, limit: number): Promise<MovedUserRow[]> {
  return reader.all(selectMoved, [after, upTo, limit]);
}

/** By what a room is open to everybody, or not: contents as JSON texts, null where there is no such state. */
export type OpennessRow = {
  readonly room_nid: number;
  readonly join_rules: string | null;
  readonly history_visibility: string | null;
  /** Whether people of this server are in the room. */
  readonly is_ours: number;
  /** Whether it is noted as open. */
  readonly is_open: number;
};

const selectOpenness = sql<OpennessRow, [after: number, upTo: number, serverName: string]>(
  'user-directory.openness',
  `with touched as materialized (
     select e.room_nid from events e
     where e.stream_position > $1 and e.stream_position <= $2 and e.type in ('m.room.join_rules', 'm.room.history_visibility')
     union
     select m.room_nid from membership_changes m where m.position > $1 and m.position <= $2
   )
   select t.room_nid, (
     select c.content from current_state s cross join events c
     where s.room_nid = t.room_nid and s.type = 'm.room.join_rules' and s.state_key = '' and c.event_nid = s.event_nid
   ) as join_rules, (
     select c.content from current_state s cross join events c
     where s.room_nid = t.room_nid and s.type = 'm.room.history_visibility' and s.state_key = '' and c.event_nid = s.event_nid
   ) as history_visibility,
     (select count(*) from open_rooms o where o.room_nid = t.room_nid) as is_open,
     (select count(*) from joined_hosts h where h.room_nid = t.room_nid and h.host = $3 and h.joined > 0) as is_ours
   from touched t`,
);

/**
 * What there is now of rooms in which it changed, or somebody came or went: the rules of a room that is joined through
 * another server were set before this one knew of it.
 */
export function readOpenness(reader: Reader, after: number, upTo: number, serverName: string): Promise<OpennessRow[]> {
  return reader.all(selectOpenness, [after, upTo, serverName]);
}

export type NamedUserRow = {
  readonly user_id: string;
  readonly is_local: number;
  /** Of this server's people: JSON texts. */
  readonly display_name: string | null;
  readonly avatar_url: string | null;
  /** Of others: what they call themselves in a room that anyone may find, join or read. */
  readonly member_content: string | null;
};

const selectNames = sql<NamedUserRow, [userIds: string, opened: string, closed: string]>(
  'user-directory.names',
  `select u.value as user_id, max(m.is_local) as is_local, (
     select p.value from profile_fields p where p.user_id = u.value and p.name = 'displayname'
   ) as display_name, (
     select p.value from profile_fields p where p.user_id = u.value and p.name = 'avatar_url'
   ) as avatar_url, (
     select e.content from memberships f cross join events e
     where f.user_id = u.value and f.membership = 'join' and f.is_local = 0 and e.event_nid = f.event_nid and (
       f.room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))
       or exists (
         select 1 from open_rooms r where r.room_nid = f.room_nid
           and r.room_nid not in (select cast(value as bigint) from json_each(cast($3 as text)))
       )
       or exists (select 1 from published_rooms p where p.room_nid = f.room_nid)
     )
     order by f.position desc limit 1
   ) as member_content
   from json_each(cast($1 as text)) u
   join memberships m on m.user_id = u.value and m.membership = 'join'
   group by u.value`,
);

/** What people who are in rooms are called; nothing of those who are in none. `rooms`: those that are about to be noted. */
export async function readNames(
  reader: Reader,
  userIds: readonly string[],
  rooms: { readonly opened: readonly number[]; readonly closed: readonly number[] },
): Promise<NamedUserRow[]> {
  if (userIds.length === 0) return [];
  const texts = [JSON.stringify(userIds), JSON.stringify(rooms.opened), JSON.stringify(rooms.closed)] as const;
  return reader.all(selectNames, [...texts]);
}

const deleteWords = sql<void, [userIds: string]>(
  'user-directory.delete-words',
  'delete from directory_words where user_id in (select value from json_each(cast($1 as text)))',
);
const deleteUsers = sql<void, [userIds: string]>(
  'user-directory.delete-users',
  'delete from directory_users where user_id in (select value from json_each(cast($1 as text)))',
);
const insertUsers = sql<void, [users: string]>(
  'user-directory.insert-users',
  `insert into directory_users (user_id, display_name, avatar_url)
   select value ->> 0, value ->> 1, value ->> 2 from json_each(cast($1 as text))`,
);
const insertWords = sql<void, [words: string]>(
  'user-directory.insert-words',
  `insert into directory_words (word, user_id)
   select value ->> 0, value ->> 1 from json_each(cast($1 as text))
   where true on conflict do nothing`,
);

export type DirectoryUser = {
  readonly userId: string;
  readonly displayName: string | undefined;
  readonly avatarUrl: string | undefined;
  readonly words: readonly string[];
};

/** Puts people in the directory as they are now; of `userIds`, those who are not in `users` are taken out. */
export function setDirectoryUsers(set: WriteSet, userIds: readonly string[], users: readonly DirectoryUser[]): void {
  if (userIds.length === 0) return;
  const all = JSON.stringify(userIds);
  set.add(deleteWords, [all]);
  set.add(deleteUsers, [all]);
  if (users.length === 0) return;
  const rows = users.map(({ userId, displayName, avatarUrl }) => [userId, displayName ?? null, avatarUrl ?? null]);
  set.add(insertUsers, [JSON.stringify(rows)]);
  const words = users.flatMap((user) => user.words.map((word) => [word, user.userId]));
  set.add(insertWords, [JSON.stringify(words)]);
}

const insertOpenRoom = sql<void, [roomNid: number]>(
  'open-rooms.add',
  'insert into open_rooms (room_nid) values ($1) on conflict do nothing',
);
const deleteOpenRoom = sql<void, [roomNid: number]>('open-rooms.remove', 'delete from open_rooms where room_nid = $1');

/** Notes whether anyone may join or read a room. */
export function setOpenRoom(set: WriteSet, roomNid: number, isOpen: boolean): void {
  set.add(isOpen ? insertOpenRoom : deleteOpenRoom, [roomNid]);
}
