import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type ProfileFieldRow = { readonly name: string; readonly value: string };

const selectFields = sql<ProfileFieldRow, [userId: string]>(
  'profiles.get',
  'select name, value from profile_fields where user_id = $1 order by name',
);

/** The fields of a local user's profile; their values are JSON texts. */
export function listProfileFields(reader: Reader, userId: string): Promise<ProfileFieldRow[]> {
  return reader.all(selectFields, [userId]);
}

const selectMemberFields = sql<ProfileFieldRow, [userId: string]>(
  'profiles.member-fields',
  `select name, value from profile_fields where user_id = $1 and name in ('displayname', 'avatar_url')`,
);

/** `displayname` and `avatar_url`, where set. */
export function listMemberProfileFields(reader: Reader, userId: string): Promise<ProfileFieldRow[]> {
  return reader.all(selectMemberFields, [userId]);
}

const selectField = sql<{ value: string }, [userId: string, name: string]>(
  'profiles.get-field',
  'select value from profile_fields where user_id = $1 and name = $2',
);

export async function findProfileField(reader: Reader, userId: string, name: string): Promise<string | undefined> {
  return (await reader.get(selectField, [userId, name]))?.value;
}

/* Counted as one JSON object: braces, and for each field quotes, colon and comma. Names have no character to escape. */
const upsertField = sql<void, [userId: string, name: string, value: string, maxBytes: number]>(
  'profiles.set',
  `insert into profile_fields (user_id, name, value)
   select cast($1 as text), cast($2 as text), cast($3 as text)
   where 5 + octet_length(cast($2 as text)) + octet_length(cast($3 as text)) + (
     select coalesce(sum(octet_length(name) + octet_length(value) + 4), 0) from profile_fields
     where user_id = $1 and name <> $2
   ) <= cast($4 as bigint)
   on conflict (user_id, name) do update set value = excluded.value`,
);

/** `value` is a JSON text. Fails on the guard `profile.too-large` if the whole would have more than `maxBytes`. */
export function setProfileField(
  set: WriteSet,
  userId: string,
  field: { readonly name: string; readonly value: string },
  maxBytes: number,
): void {
  set.guard('profile.too-large', 1, upsertField, [userId, field.name, field.value, maxBytes]);
  set.change('profile', userId);
}

const insertFirst = sql<void, [userId: string, displayName: string]>(
  'profiles.first',
  `insert into profile_fields (user_id, name, value)
   select cast($1 as text), 'displayname', cast($2 as text)
   where not exists (select 1 from accounts where user_id = $1)
   on conflict do nothing`,
);

/**
 * What somebody is called whose account is made by what follows in the set; nothing changes for an account that is there, or
 * was. Nobody has to hear of it, for they are in no room yet.
 */
export function addFirstDisplayName(set: WriteSet, userId: string, displayName: string): void {
  set.add(insertFirst, [userId, JSON.stringify(displayName)]);
}

const deleteField = sql<void, [userId: string, name: string]>(
  'profiles.delete-field',
  'delete from profile_fields where user_id = $1 and name = $2',
);

export function removeProfileField(set: WriteSet, userId: string, name: string): void {
  set.add(deleteField, [userId, name]);
  set.change('profile', userId);
}

const deleteFields = sql<void, [userId: string]>('profiles.delete', 'delete from profile_fields where user_id = $1');

export function removeProfile(set: WriteSet, userId: string): void {
  set.add(deleteFields, [userId]);
  set.change('profile', userId);
}
