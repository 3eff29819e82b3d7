import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

type TextRow = { readonly key: string; readonly text: string };

const selectOfProfiles = sql<TextRow, [after: string, limit: number]>(
  'pictures.of-profiles',
  `select user_id as key, value as text from profile_fields
   where user_id > $1 and name = 'avatar_url' order by user_id limit $2`,
);

const selectAccounts = sql<{ user_id: string }, [after: string, limit: number]>(
  'pictures.accounts',
  'select user_id from accounts where user_id > $1 order by user_id limit $2',
);

/* Most people look the same in all of their rooms. */
const selectOfMembers = sql<{ text: string }, [userIds: string]>(
  'pictures.of-members',
  `select distinct e.content as text from json_each(cast($1 as text)) u cross join memberships m
     join events e on e.event_nid = m.event_nid
   where m.user_id = u.value and m.membership = 'join'`,
);

const selectRooms = sql<{ room_nid: number }, [after: number, limit: number]>(
  'pictures.rooms',
  'select room_nid from rooms where room_nid > $1 order by room_nid limit $2',
);

const selectOfRooms = sql<{ text: string }, [roomNids: string]>(
  'pictures.of-rooms',
  `select e.content as text from json_each(cast($1 as text)) w cross join current_state c
     join events e on e.event_nid = c.event_nid
   where c.room_nid = cast(w.value as bigint) and c.type = 'm.room.avatar' and c.state_key = ''`,
);

const pageSize = 1000;
/** Of people, each of whom may be in thousands of rooms. */
const peopleAtOnce = 50;

/**
 * Texts in which the pictures stand that people of this server have in their profiles and as members of rooms, and those
 * that rooms have.
 */
export async function* readPictureTexts(reader: Reader): AsyncGenerator<string, void, undefined> {
  for (let after = ''; ;) {
    const page = await reader.all(selectOfProfiles, [after, pageSize]);
    for (const { text } of page) yield text;
    after = page.at(-1)?.key ?? after;
    if (page.length < pageSize) break;
  }
  for (let after = ''; ;) {
    const page = (await reader.all(selectAccounts, [after, peopleAtOnce])).map((row) => row.user_id);
    for (const { text } of await reader.all(selectOfMembers, [JSON.stringify(page)])) yield text;
    after = page.at(-1) ?? after;
    if (page.length < peopleAtOnce) break;
  }
  for (let after = -1; ;) {
    const page = (await reader.all(selectRooms, [after, pageSize])).map((row) => row.room_nid);
    for (const { text } of await reader.all(selectOfRooms, [JSON.stringify(page)])) yield text;
    after = page.at(-1) ?? after;
    if (page.length < pageSize) break;
  }
}
