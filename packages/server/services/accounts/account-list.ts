import type { Reader } from '@portico/storage';
import {
  type AccountColumn,
  type AccountFilter,
  type AccountOrder,
  type AccountPlace,
  countAccounts,
  findLastExamined,
  listAccounts,
  listAccountsSorted,
  type ListedAccountRow,
} from '@portico/storage/stores/accounts/account-list.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

export type ListedAccount = ListedAccountRow;

export type AccountQuery = {
  readonly by: AccountOrder['by'] | AccountColumn;
  readonly isDescending: boolean;
  readonly isDeactivated: boolean | undefined;
  readonly isAdmin: boolean | undefined;
  readonly isLocked: boolean | undefined;
  /** Part of the user ID without the server's name or of the display name, and part of the whole user ID. */
  readonly name: string;
  readonly userId: string;
  /** How many to leave out, or what the page before said is next. */
  readonly from: string;
  readonly limit: number;
};

export type AccountPage = {
  readonly accounts: readonly ListedAccount[];
  /** `undefined` where there are no more. */
  readonly next: string | undefined;
  /** How many there are, among the first ten thousand accounts; at least as many as have been given. */
  readonly total: number;
};

/**
 * Accounts, page by page. A search looks at ten thousand accounts and then says where to go on, whatever it has found. By what
 * has no index they are sorted only where there are no more than that: throws `request.invalid-param` elsewhere.
 */
export type ListAccounts = (query: AccountQuery) => Promise<AccountPage>;

const mostExamined = 10_000;
const maxPage = 1000;

/** `db` is for reads that take long. */
type Dependencies = { readonly db: Reader; readonly serverName: string };

export function createListAccounts({ db, serverName }: Dependencies): ListAccounts {
  return async ({ by, isDescending, isDeactivated, isAdmin, isLocked, name, userId, from, limit: wanted }) => {
    const inLocalpart = name.toLowerCase();
    const text = { inLocalpart, serverLength: serverName.length + 1, inName: JSON.stringify(name).slice(1, -1) };
    const filter = { isDeactivated, isAdmin, isLocked, text, inId: userId };
    const limit = Math.min(wanted, maxPage);
    return isIndexed(by)
      ? listInOrder({ by, isDescending }, filter, from, limit)
      : listSorted({ column: by, isDescending }, filter, from, limit);
  };

  async function listInOrder(
    order: AccountOrder,
    filter: AccountFilter,
    from: string,
    limit: number,
  ): Promise<AccountPage> {
    const { after, offset } = parseStart(from, order.by);
    const page = { after, offset, examined: mostExamined, limit: limit + 1 };
    const [rows, counted] = await Promise.all([
      listAccounts(db, order, filter, page),
      countAccounts(db, order, filter, mostExamined),
    ]);
    const accounts = rows.slice(0, limit);
    const place = rows.length > limit ? accounts.at(-1) : await endOfSearch(order, after);
    const total = Math.max(counted, offset + accounts.length + (rows.length > limit ? 1 : 0));
    return { accounts, next: place && tokenOf(order.by, place), total };
  }

  async function listSorted(
    order: { readonly column: AccountColumn; readonly isDescending: boolean },
    filter: AccountFilter,
    from: string,
    limit: number,
  ): Promise<AccountPage> {
    const offset = parseOffset(from);
    if (offset === undefined) throw refusedStart();
    if ((await countAccounts(db, anyOrder, anyAccount, mostExamined + 1)) > mostExamined) {
      throw new MatrixError('request.invalid-param', {
        message: `With more than ${mostExamined} accounts order_by is name, creation_ts, admin, locked or suspended.`,
      });
    }
    const [accounts, total] = await Promise.all([
      listAccountsSorted(db, order, filter, { examined: mostExamined, limit, offset }),
      countAccounts(db, anyOrder, filter, mostExamined),
    ]);
    const end = offset + accounts.length;
    return { accounts, next: accounts.length > 0 && end < total ? String(end) : undefined, total };
  }

  /** Where a search ended that has not come to the end of the accounts. */
  async function endOfSearch(order: AccountOrder, after: AccountPlace | undefined): Promise<AccountPlace | undefined> {
    const last = await findLastExamined(db, order, after, mostExamined);
    if (last === undefined) return undefined;
    return (await findLastExamined(db, order, last, 1)) && last;
  }
}

const indexed: ReadonlySet<string> = new Set<AccountOrder['by']>(['name', 'creation', 'admin', 'locked', 'suspended']);

function isIndexed(by: AccountQuery['by']): by is AccountOrder['by'] {
  return indexed.has(by);
}

function tokenOf(by: AccountOrder['by'], { user_id: userId, place }: AccountPlace): string {
  return Buffer.from(JSON.stringify([by, place, userId])).toString('base64url');
}

const anyOrder: AccountOrder = { by: 'name', isDescending: false };
const anyAccount: AccountFilter = {
  isDeactivated: undefined,
  isAdmin: undefined,
  isLocked: undefined,
  text: { inLocalpart: '', serverLength: 0, inName: '' },
  inId: '',
};

function parseOffset(from: string): number | undefined {
  return /^\d{1,5}$/.test(from) && Number(from) <= mostExamined ? Number(from) : undefined;
}

function parseStart(
  from: string,
  by: AccountOrder['by'],
): { readonly after: AccountPlace | undefined; readonly offset: number } {
  const offset = parseOffset(from);
  if (offset !== undefined) return { after: undefined, offset };
  try {
    const [order, place, userId] = JSON.parse(Buffer.from(from, 'base64url').toString()) as unknown[];
    if (order === by && Number.isSafeInteger(place) && typeof userId === 'string' && !userId.includes('\0')) {
      return { after: { place: Number(place), user_id: userId }, offset: 0 };
    }
  } catch {
    // It is none of those that were given.
  }
  throw refusedStart();
}

function refusedStart(): MatrixError {
  return new MatrixError('request.invalid-param', {
    message: `from is next_token, or a number up to ${mostExamined}.`,
  });
}
