import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const selectSightings = sql<{ person: string }, [userId: string, limit: number]>(
  'presence-sightings.of',
  'select person from presence_sightings where user_id = $1 limit $2',
);

/** Whom somebody was shown as anything but offline. */
export async function readSightings(reader: Reader, userId: string, limit: number): Promise<string[]> {
  return (await reader.all(selectSightings, [userId, limit])).map((row) => row.person);
}

const insertSightings = sql<void, [userId: string, people: string]>(
  'presence-sightings.add',
  `insert into presence_sightings (user_id, person)
   select cast($1 as text), value from json_each(cast($2 as text)) where true on conflict (user_id, person) do nothing`,
);

export function addSightings(set: WriteSet, userId: string, people: readonly string[]): void {
  set.add(insertSightings, [userId, JSON.stringify(people)]);
}

const deleteSightings = sql<void, [userId: string, people: string]>(
  'presence-sightings.remove',
  `delete from presence_sightings
   where user_id = $1 and person in (select value from json_each(cast($2 as text)))`,
);

export function removeSightings(set: WriteSet, userId: string, people: readonly string[]): void {
  set.add(deleteSightings, [userId, JSON.stringify(people)]);
}

/** Somebody of another server may have been told of a person; `recipient` is empty for all there who share a room. */
export type ToldRow = { readonly host: string; readonly recipient: string };

/** Looks up one person after the other, and none of the thousands of rows that there may be of each. */
const selectPeople = sql<{ user_id: string }, [after: string, limit: number]>(
  'presence-told.people',
  `with recursive people (user_id, place) as (
     select min(user_id), 1 from presence_told where user_id > $1
     union all
     select (select min(t.user_id) from presence_told t where t.user_id > people.user_id), place + 1
     from people where people.user_id is not null and place < $2
   )
   select user_id from people where user_id is not null`,
);

/** Of whom other servers were told, and have not taken that it is over: the next people after one. */
export async function readPeopleTold(reader: Reader, after: string, limit: number): Promise<string[]> {
  return (await reader.all(selectPeople, [after, limit])).map((row) => row.user_id);
}

const selectTold = sql<ToldRow, [userId: string, host: string, recipient: string, limit: number]>(
  'presence-told.of',
  `select host, recipient from presence_told
   where user_id = $1 and (host, recipient) > ($2, $3) order by host, recipient limit $4`,
);

/** Who was told of a person: the next ones after a server and somebody there. */
export function readTold(reader: Reader, userId: string, after: ToldRow, limit: number): Promise<ToldRow[]> {
  return reader.all(selectTold, [userId, after.host, after.recipient, limit]);
}

const insertTold = sql<void, [userId: string, rows: string]>(
  'presence-told.add',
  `insert into presence_told (user_id, host, recipient)
   select cast($1 as text), value ->> 0, value ->> 1 from json_each(cast($2 as text)) where true
   on conflict (user_id, host, recipient) do nothing`,
);

const deleteTold = sql<void, [userId: string, rows: string]>(
  'presence-told.remove',
  `delete from presence_told
   where user_id = $1 and (host, recipient) in (select value ->> 0, value ->> 1 from json_each(cast($2 as text)))`,
);

const pairs = (rows: readonly ToldRow[]): string =>
  JSON.stringify(rows.map(({ host, recipient }) => [host, recipient]));

export function addTold(set: WriteSet, userId: string, rows: readonly ToldRow[]): void {
  set.add(insertTold, [userId, pairs(rows)]);
}

export function removeTold(set: WriteSet, userId: string, rows: readonly ToldRow[]): void {
  set.add(deleteTold, [userId, pairs(rows)]);
}
