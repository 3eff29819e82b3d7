import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { refuseDeactivated } from './accounts-deactivate.ts';

export type ThirdPartyIdRow = {
  readonly medium: string;
  readonly address: string;
  readonly validated_at: number;
  readonly added_at: number;
};

const selectOwner = sql<{ user_id: string }, [medium: string, address: string]>(
  'third-party-ids.owner',
  'select user_id from third_party_ids where medium = $1 and address = $2',
);

export async function findThirdPartyOwner(
  reader: Reader,
  medium: string,
  address: string,
): Promise<string | undefined> {
  return (await reader.get(selectOwner, [medium, address]))?.user_id;
}

const selectOfUser = sql<ThirdPartyIdRow, [userId: string]>(
  'third-party-ids.of-user',
  `select medium, address, validated_at, added_at from third_party_ids where user_id = $1
   order by added_at, medium, address limit 100`,
);

/** At most a hundred, in the order in which they were added. */
export function listThirdPartyIds(reader: Reader, userId: string): Promise<ThirdPartyIdRow[]> {
  return reader.all(selectOfUser, [userId]);
}

const insertId = sql<void, [medium: string, address: string, userId: string, validatedAt: number, addedAt: number]>(
  'third-party-ids.insert',
  `insert into third_party_ids (medium, address, user_id, validated_at, added_at) values ($1, $2, $3, $4, $5)
   on conflict do nothing`,
);

export type NewThirdPartyId = {
  readonly userId: string;
  readonly medium: string;
  readonly address: string;
  readonly validatedAt: number;
  readonly addedAt: number;
};

/** Fails on the guard `third-party.taken` where somebody has it, and on `user.deactivated`. */
export function addThirdPartyId(set: WriteSet, id: NewThirdPartyId): void {
  refuseDeactivated(set, id.userId);
  set.guard('third-party.taken', 1, insertId, [id.medium, id.address, id.userId, id.validatedAt, id.addedAt]);
}

const deleteId = sql<void, [userId: string, medium: string, address: string]>(
  'third-party-ids.delete',
  'delete from third_party_ids where medium = $2 and address = $3 and user_id = $1',
);

export function removeThirdPartyId(set: WriteSet, userId: string, medium: string, address: string): void {
  set.add(deleteId, [userId, medium, address]);
}

const deleteValidations = sql<void, [userId: string]>(
  'third-party-ids.delete-validations',
  `delete from email_validations where session_id in (
     select v.session_id from third_party_ids t join email_validations v on v.address = t.address
     where t.user_id = $1 and t.medium = 'email'
   )`,
);
const deleteIds = sql<void, [userId: string]>(
  'third-party-ids.delete-all',
  'delete from third_party_ids where user_id = $1',
);
const deleteBindings = sql<void, [userId: string]>(
  'third-party-bindings.delete-all',
  'delete from third_party_bindings where user_id = $1',
);

/** With what is under way about these addresses. */
export function removeThirdPartyIdsOf(set: WriteSet, userId: string): void {
  set.add(deleteValidations, [userId]);
  set.add(deleteIds, [userId]);
  set.add(deleteBindings, [userId]);
}
