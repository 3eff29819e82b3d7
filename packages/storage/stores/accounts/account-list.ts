import type { Reader } from '../../database.ts';
import { type Sql, sql } from '../../sql.ts';

export type ListedAccountRow = AccountPlace & {
  readonly created_at: number;
  readonly is_admin: number;
  readonly user_type: string | null;
  readonly deactivated_at: number | null;
  readonly erase_requested_at: number | null;
  readonly locked: number;
  readonly suspended: number;
  /** JSON texts. */
  readonly displayname: string | null;
  readonly avatar_url: string | null;
  readonly last_seen_at: number | null;
};

/** Where an account is in a list: `place` is what an order goes by, before the user ID. */
export type AccountPlace = { readonly user_id: string; readonly place: number };
/** What has an index. */
export type AccountOrder = {
  readonly by: 'name' | 'creation' | 'admin' | 'locked' | 'suspended';
  readonly isDescending: boolean;
};
/**
 * What has none: those that are alike are by name. Names and pictures are rows of profiles, which not everybody has, and may be too
 * long for an index; when somebody was last seen is known of each of their devices.
 */
export type AccountColumn = 'displayname' | 'avatar_url' | 'user_type' | 'deactivated' | 'last_seen_ts';

export type AccountFilter = {
  /** What is `undefined` does not matter. */
  readonly isDeactivated: boolean | undefined;
  readonly isAdmin: boolean | undefined;
  readonly isLocked: boolean | undefined;
  /** Part of the user ID in front of a server's name of that length, or of the display name as JSON text; '' is part of every one. */
  readonly text: { readonly inLocalpart: string; readonly serverLength: number; readonly inName: string };
  /** Part of the user ID. */
  readonly inId: string;
};

type FilterParams = [
  deactivated: number,
  admin: number,
  inId: string,
  inEither: string,
  inName: string,
  locked: number,
  server: number,
];
type ListParams = [place: number, userId: string, examined: number, ...FilterParams, limit: number, offset: number];
type PlaceParams = [place: number, userId: string, examined: number];

const shown = 'user_id, is_admin, user_type, created_at, deactivated_at, erase_requested_at, locked, suspended';

/** With `@`, without the server's name. */
const localpart = 'substr(e.user_id, 1, length(e.user_id) - cast($10 as integer))';

const filter = `(cast($4 as bigint) = -1 or case when e.deactivated_at is null then 0 else 1 end = cast($4 as bigint))
     and (cast($5 as bigint) = -1 or e.is_admin = cast($5 as bigint))
     and (cast($6 as text) = '' or replace(e.user_id, cast($6 as text), '') <> e.user_id)
     and (cast($7 as text) = '' or replace(${localpart}, cast($7 as text), '') <> ${localpart}
       or replace(coalesce(d.value, ''), cast($8 as text), '') <> coalesce(d.value, ''))
     and (cast($9 as bigint) = -1 or e.locked = cast($9 as bigint))`;

const names = `left join profile_fields d on d.user_id = e.user_id and d.name = 'displayname'`;

type Statements = {
  readonly list: Sql<ListedAccountRow, ListParams>;
  readonly count: Sql<{ accounts: number }, [...PlaceParams, ...FilterParams]>;
  readonly last: Sql<AccountPlace, PlaceParams>;
};

/** What accounts are listed by, before their user ID; nothing where it is the user ID alone. */
type Key = 'created_at' | 'is_admin' | 'locked' | 'suspended' | undefined;

function orderOf(key: Key | 'place', isDescending: boolean): string {
  const direction = isDescending ? ' desc' : '';
  return `${key === undefined ? '' : `e.${key}${direction}, `}e.user_id${direction}`;
}

function examinedBy(key: Key, isDescending: boolean): string {
  const after = isDescending ? '<' : '>';
  const [place, start] =
    key === undefined
      ? ['cast(0 as bigint)', `cast($1 as bigint) is not null and e.user_id ${after} $2`]
      : [`e.${key}`, `(e.${key}, e.user_id) ${after} ($1, $2)`];
  return `select ${shown}, ${place} as place from accounts e where ${start}
    order by ${orderOf(key, isDescending)} limit $3`;
}

function describing(examined: string): string {
  return `select e.user_id, e.is_admin, e.user_type, e.created_at, e.deactivated_at, e.erase_requested_at, e.locked,
     e.suspended, e.place, d.value as displayname, a.value as avatar_url,
     (select max(s.last_seen_at) from devices s where s.user_id = e.user_id) as last_seen_at
   from (${examined}) e ${names}
   left join profile_fields a on a.user_id = e.user_id and a.name = 'avatar_url'
   where ${filter}`;
}

/** So many accounts after a place are looked at, and those among them that match are given. */
function statementsFor(name: string, key: Key, isDescending: boolean): Statements {
  const examined = examinedBy(key, isDescending);
  const place = key && 'place';
  return {
    list: sql(
      `account-list.${name}`,
      `${describing(examined)} order by ${orderOf(place, isDescending)} limit $11 offset $12`,
    ),
    count: sql(
      `account-list.count-${name}`,
      `select count(*) as accounts from (${examined}) e ${names} where ${filter}`,
    ),
    last: sql(
      `account-list.last-${name}`,
      `select e.user_id, e.place from (${examined}) e order by ${orderOf(place, !isDescending)} limit 1`,
    ),
  };
}

const statements = {
  name: statementsFor('by-name', undefined, false),
  'name-desc': statementsFor('by-name-desc', undefined, true),
  creation: statementsFor('by-creation', 'created_at', false),
  'creation-desc': statementsFor('by-creation-desc', 'created_at', true),
  admin: statementsFor('by-admin', 'is_admin', false),
  'admin-desc': statementsFor('by-admin-desc', 'is_admin', true),
  locked: statementsFor('by-locked', 'locked', false),
  'locked-desc': statementsFor('by-locked-desc', 'locked', true),
  suspended: statementsFor('by-suspended', 'suspended', false),
  'suspended-desc': statementsFor('by-suspended-desc', 'suspended', true),
} as const;

type SortedParams = [...ListParams, column: AccountColumn];

/** The accounts that are looked at, by something that no index has. */
function sortedBy(name: string, direction: 'asc' | 'desc'): Sql<ListedAccountRow, SortedParams> {
  return sql(
    `account-list.${name}`,
    `select * from (${describing(examinedBy(undefined, false))}) l
     order by case cast($13 as text)
         when 'deactivated' then case when l.deactivated_at is null then 0 else 1 end
         when 'last_seen_ts' then coalesce(l.last_seen_at, 0) else 0 end ${direction},
       case cast($13 as text)
         when 'displayname' then coalesce(l.displayname, '') when 'avatar_url' then coalesce(l.avatar_url, '')
         when 'user_type' then coalesce(l.user_type, '') else '' end ${direction},
       l.user_id ${direction}
     limit $11 offset $12`,
  );
}
const sorted = { ascending: sortedBy('sorted', 'asc'), descending: sortedBy('sorted-desc', 'desc') } as const;

/** User IDs begin with `@`, which is before any letter. */
const ends = {
  first: { user_id: '', place: -1 },
  last: { user_id: 'A', place: Number.MAX_SAFE_INTEGER },
} as const;

function startOf({ isDescending }: AccountOrder, after: AccountPlace | undefined): AccountPlace {
  return after ?? (isDescending ? ends.last : ends.first);
}

function statementsOf({ by, isDescending }: AccountOrder): Statements {
  return statements[isDescending ? (`${by}-desc` as const) : by];
}

function flag(value: boolean | undefined): number {
  return value === undefined ? -1 : Number(value);
}

function paramsOf({ isDeactivated, isAdmin, isLocked, inId, text }: AccountFilter): FilterParams {
  const { inLocalpart, serverLength, inName } = text;
  return [flag(isDeactivated), flag(isAdmin), inId, inLocalpart, inName, flag(isLocked), serverLength];
}

/** Those that match among the next `examined` accounts. */
export function listAccounts(
  reader: Reader,
  order: AccountOrder,
  accounts: AccountFilter,
  page: {
    readonly after: AccountPlace | undefined;
    readonly examined: number;
    readonly limit: number;
    readonly offset: number;
  },
): Promise<ListedAccountRow[]> {
  const { user_id: userId, place } = startOf(order, page.after);
  const params = paramsOf(accounts);
  return reader.all(statementsOf(order).list, [place, userId, page.examined, ...params, page.limit, page.offset]);
}

/** Those that match among the first `examined` accounts by name, sorted by something else. */
export function listAccountsSorted(
  reader: Reader,
  { column, isDescending }: { readonly column: AccountColumn; readonly isDescending: boolean },
  accounts: AccountFilter,
  page: { readonly examined: number; readonly limit: number; readonly offset: number },
): Promise<ListedAccountRow[]> {
  const { user_id: userId, place } = ends.first;
  const params = paramsOf(accounts);
  const statement = isDescending ? sorted.descending : sorted.ascending;
  return reader.all(statement, [place, userId, page.examined, ...params, page.limit, page.offset, column]);
}

/** How many match among the first `examined` accounts. */
export async function countAccounts(
  reader: Reader,
  order: AccountOrder,
  accounts: AccountFilter,
  examined: number,
): Promise<number> {
  const { user_id: userId, place } = startOf(order, undefined);
  const row = await reader.get(statementsOf(order).count, [place, userId, examined, ...paramsOf(accounts)]);
  return row?.accounts ?? 0;
}

/** The last of the next `examined` accounts. */
export function findLastExamined(
  reader: Reader,
  order: AccountOrder,
  after: AccountPlace | undefined,
  examined: number,
): Promise<AccountPlace | undefined> {
  const { user_id: userId, place } = startOf(order, after);
  return reader.get(statementsOf(order).last, [place, userId, examined]);
}
