import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** What was last stored of somebody of this server. */
export type PresenceRow = {
  readonly user_id: string;
  readonly presence: string;
  readonly status_msg: string | null;
  readonly last_active: number | null;
};

const selectOne = sql<PresenceRow, [userId: string]>(
  'presence.get',
  'select user_id, presence, status_msg, last_active from presence_states where user_id = $1',
);

const selectPresent = sql<PresenceRow, [limit: number]>(
  'presence.present',
  `select user_id, presence, status_msg, last_active from presence_states where presence <> 'offline' limit $1`,
);

const upsert = sql<void, [userId: string, presence: string, statusMsg: string | null, lastActive: number | null]>(
  'presence.set',
  `insert into presence_states (user_id, presence, status_msg, last_active)
   select cast($1 as text), $2, $3, cast($4 as bigint)
   where not exists (select 1 from accounts where user_id = $1 and erase_requested_at is not null)
   on conflict (user_id) do update set presence = excluded.presence, status_msg = excluded.status_msg,
     last_active = excluded.last_active`,
);

export function findPresence(reader: Reader, userId: string): Promise<PresenceRow | undefined> {
  return reader.get(selectOne, [userId]);
}

/** Those who were not offline when it was written. */
export function readPresent(reader: Reader, limit: number): Promise<PresenceRow[]> {
  return reader.all(selectPresent, [limit]);
}

/** Of somebody who is erased, nothing is stored any more. */
export function setPresence(set: WriteSet, row: PresenceRow): void {
  set.add(upsert, [row.user_id, row.presence, row.status_msg, row.last_active]);
}

/** Settings of account data that say who gets somebody's presence. The content of the list of ignored people is left out. */
export type PresenceSettingRow = { readonly type: string; readonly stream_position: number; readonly content: string };

const selectSettings = sql<PresenceSettingRow, [userId: string, stable: string, unstable: string]>(
  'presence.settings',
  `select type, stream_position, case when type = 'm.ignored_user_list' then '' else content end as content
   from account_data where user_id = $1 and room_id = '' and type in ($2, $3, 'm.ignored_user_list')`,
);

export function readPresenceSettings(
  reader: Reader,
  userId: string,
  types: { readonly stable: string; readonly unstable: string },
): Promise<PresenceSettingRow[]> {
  return reader.all(selectSettings, [userId, types.stable, types.unstable]);
}

export type PersonRoomRow = { readonly user_id: string; readonly room_nid: number; readonly room_id: string };

const selectRooms = sql<PersonRoomRow, [userIds: string]>(
  'presence.rooms-of-people',
  `select m.user_id, m.room_nid, r.room_id from memberships m join rooms r on r.room_nid = m.room_nid
   where m.user_id in (select value from json_each(cast($1 as text))) and m.membership = 'join'`,
);

/** The rooms to which people are joined. */
export function readRoomsOfPeople(reader: Reader, userIds: readonly string[]): Promise<PersonRoomRow[]> {
  return reader.all(selectRooms, [JSON.stringify(userIds)]);
}

const selectExisting = sql<{ user_id: string }, [userIds: string]>(
  'presence.existing-accounts',
  `select user_id from accounts
   where user_id in (select value from json_each(cast($1 as text))) and deactivated_at is null`,
);

/** Which of these people have an account. */
export async function readExistingAccounts(reader: Reader, userIds: readonly string[]): Promise<string[]> {
  return (await reader.all(selectExisting, [JSON.stringify(userIds)])).map((row) => row.user_id);
}
