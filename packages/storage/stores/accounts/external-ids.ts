import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { refuseDeactivated } from './accounts-deactivate.ts';

/** What another service calls somebody. */
export type ExternalId = { readonly provider: string; readonly subject: string };

export type ExternalIdRow = ExternalId & { readonly linked_at: number };

const selectOwner = sql<{ user_id: string }, [provider: string, subject: string]>(
  'external-ids.owner',
  'select user_id from external_ids where provider = $1 and subject = $2',
);

export async function findExternalOwner(
  reader: Reader,
  { provider, subject }: ExternalId,
): Promise<string | undefined> {
  return (await reader.get(selectOwner, [provider, subject]))?.user_id;
}

const selectOfUser = sql<ExternalIdRow, [userId: string]>(
  'external-ids.of-user',
  `select provider, subject, linked_at from external_ids where user_id = $1
   order by linked_at, provider, subject limit 100`,
);

/** At most a hundred, in the order in which they were linked. */
export function listExternalIds(reader: Reader, userId: string): Promise<ExternalIdRow[]> {
  return reader.all(selectOfUser, [userId]);
}

const insertId = sql<void, [provider: string, subject: string, userId: string, linkedAt: number]>(
  'external-ids.insert',
  `insert into external_ids (provider, subject, user_id, linked_at) values ($1, $2, $3, $4) on conflict do nothing`,
);

/** Fails on the guard `external-id.taken` where it leads to an account already, and on `user.deactivated`. */
export function addExternalId(
  set: WriteSet,
  userId: string,
  { provider, subject }: ExternalId,
  linkedAt: number,
): void {
  refuseDeactivated(set, userId);
  set.guard('external-id.taken', 1, insertId, [provider, subject, userId, linkedAt]);
}

const insertFirst = sql<void, [provider: string, subject: string, userId: string, linkedAt: number]>(
  'external-ids.insert-first',
  `insert into external_ids (provider, subject, user_id, linked_at)
   select cast($1 as text), cast($2 as text), user_id, cast($4 as bigint) from accounts
   where user_id = $3 and deactivated_at is null
     and not exists (select 1 from external_ids linked where linked.user_id = $3 and linked.provider = $1)
   on conflict do nothing`,
);

/** The same, which fails on `external-id.taken` as well where the account is linked with somebody else of the provider. */
export function addFirstExternalId(
  set: WriteSet,
  userId: string,
  { provider, subject }: ExternalId,
  linkedAt: number,
): void {
  set.guard('external-id.taken', 1, insertFirst, [provider, subject, userId, linkedAt]);
}

const deleteId = sql<void, [provider: string, subject: string, userId: string]>(
  'external-ids.delete',
  'delete from external_ids where provider = $1 and subject = $2 and user_id = $3',
);

export function removeExternalId(set: WriteSet, userId: string, { provider, subject }: ExternalId): void {
  set.add(deleteId, [provider, subject, userId]);
}

const deleteUnlessLast = sql<void, [provider: string, subject: string, userId: string, providers: string]>(
  'external-ids.delete-unless-last',
  `delete from external_ids where provider = $1 and subject = $2 and user_id = $3 and (
     exists (select 1 from accounts where user_id = $3 and password_hash is not null)
     or exists (
       select 1 from external_ids other where other.user_id = $3 and (other.provider <> $1 or other.subject <> $2)
         and other.provider in (select value from json_each(cast($4 as text)))
     )
   )`,
);

/** Fails on the guard `external-id.last` where the person could not log in without it, by any of the services that there are. */
export function removeExternalIdUnlessLast(
  set: WriteSet,
  userId: string,
  { provider, subject }: ExternalId,
  providers: readonly string[],
): void {
  set.guard('external-id.last', 1, deleteUnlessLast, [provider, subject, userId, JSON.stringify(providers)]);
}
