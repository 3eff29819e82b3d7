import { type Static, Type } from 'typebox';
import type {
  AccountPage,
  AccountQuery,
  ListAccounts,
  ListedAccount,
} from '../../../services/accounts/account-list.ts';
import { endpoint } from '../../endpoint.ts';
import { userFacts } from './user-facts.ts';

const listedUser = Type.Object(
  {
    ...userFacts,
    last_seen_ts: Type.Union([Type.Integer(), Type.Null()]),
    approved: Type.Literal(true),
  },
  { title: 'ListedUser' },
);

const userList = Type.Object(
  { users: Type.Array(listedUser), next_token: Type.Optional(Type.String()), total: Type.Integer() },
  { title: 'UserList' },
);

/** As tools call them. Of guests and the like there are none, and nothing to sort by. */
const order = Type.Union(
  [
    Type.Literal('name'),
    Type.Literal('creation_ts'),
    Type.Literal('displayname'),
    Type.Literal('avatar_url'),
    Type.Literal('user_type'),
    Type.Literal('admin'),
    Type.Literal('deactivated'),
    Type.Literal('locked'),
    Type.Literal('suspended'),
    Type.Literal('last_seen_ts'),
    Type.Literal('is_guest'),
    Type.Literal('shadow_banned'),
    Type.Literal('approved'),
  ],
  {
    description:
      'By anything but name, which is the user ID, creation_ts, admin, locked and suspended: up to ten thousand accounts.',
  },
);

const query = {
  from: Type.Optional(Type.String()),
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
  name: Type.Optional(
    Type.String({ maxLength: 255, description: 'Part of the display name, or of the user ID without the server.' }),
  ),
  user_id: Type.Optional(Type.String({ maxLength: 255, description: 'Part of the user ID.' })),
  admins: Type.Optional(Type.Boolean()),
  /** There are none. */
  guests: Type.Optional(Type.Boolean()),
  locked: Type.Optional(Type.Boolean({ description: 'Without those that are locked, if it is false.' })),
  order_by: Type.Optional(order),
  dir: Type.Optional(Type.Union([Type.Literal('f'), Type.Literal('b')])),
  deactivated: Type.Optional(Type.Boolean()),
};
type Query = Static<typeof queryObject>;
const queryObject = Type.Object(query);

type Services = { readonly listAccounts: ListAccounts };

async function ask({ listAccounts }: Services, asked: Query, isDeactivated: boolean | undefined) {
  const { from = '0', limit = 100, name = '', user_id: userId = '', admins, locked, order_by: by, dir = 'f' } = asked;
  const isLocked = locked === false ? false : undefined;
  const filter = { isDeactivated, isAdmin: admins, isLocked, name, userId };
  return toList(await listAccounts({ ...filter, by: toOrder(by), isDescending: dir === 'b', from, limit }));
}

function toOrder(by: Static<typeof order> = 'name'): AccountQuery['by'] {
  if (by === 'creation_ts') return 'creation';
  return by === 'is_guest' || by === 'shadow_banned' || by === 'approved' ? 'name' : by;
}

export const listUsersV2 = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v2/users',
    operationId: 'listUsers',
    summary: 'Lists accounts: with `deactivated`, those that have ended as well.',
    auth: 'admin',
    query: Type.Object(query),
    response: userList,
  },
  (services: Services) =>
    ({ query: asked }) =>
      ask(services, asked, asked.deactivated === true ? undefined : false),
);

export const listUsersV3 = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v3/users',
    operationId: 'listUsersByState',
    summary: 'Lists accounts: with `deactivated`, only those that have ended, or only the others.',
    auth: 'admin',
    query: Type.Object(query),
    response: userList,
  },
  (services: Services) =>
    ({ query: asked }) =>
      ask(services, asked, asked.deactivated),
);

function toList({ accounts, next, total }: AccountPage): Static<typeof userList> {
  return { users: accounts.map(toUser), total, ...(next !== undefined && { next_token: next }) };
}

function toUser(row: ListedAccount): Static<typeof listedUser> {
  return {
    name: row.user_id,
    admin: row.is_admin === 1,
    deactivated: row.deactivated_at !== null,
    erased: row.erase_requested_at !== null,
    locked: row.locked === 1,
    suspended: row.suspended === 1,
    user_type: row.user_type,
    displayname: textIn(row.displayname),
    avatar_url: textIn(row.avatar_url),
    creation_ts: row.created_at,
    last_seen_ts: row.last_seen_at,
    is_guest: false,
    shadow_banned: false,
    approved: true,
  };
}

function textIn(json: string | null): string | null {
  const value: unknown = json === null ? null : JSON.parse(json);
  return typeof value === 'string' ? value : null;
}
