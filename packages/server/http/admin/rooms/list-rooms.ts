import { type Static, Type } from 'typebox';
import type { ListedRoom, RoomList } from '../../../services/rooms/listing/room-list.ts';
import type { RoomOrder } from '../../../services/rooms/listing/room-orders.ts';
import { endpoint } from '../../endpoint.ts';

type Services = { readonly roomList: RoomList };
const optionalText = Type.Union([Type.String(), Type.Null()]);
const params = Type.Object({ roomId: Type.String() });

const facts = {
  room_id: Type.String(),
  name: optionalText,
  canonical_alias: optionalText,
  joined_members: Type.Integer(),
  joined_local_members: Type.Integer(),
  version: Type.String(),
  creator: optionalText,
  encryption: optionalText,
  federatable: Type.Boolean(),
  public: Type.Boolean(),
  join_rules: optionalText,
  guest_access: optionalText,
  history_visibility: optionalText,
  state_events: Type.Integer({ description: 'At most 1000 are counted.' }),
  room_type: optionalText,
};
const listedRoom = Type.Object(facts, { title: 'ListedRoom' });

/** Tools refuse a whole list for one room of which somebody has said something else. */
const guestAccess: readonly string[] = ['can_join', 'forbidden'];
const visibilities: readonly string[] = ['invited', 'joined', 'shared', 'world_readable'];

function oneOf(values: readonly string[], text: string | null): string | null {
  return text !== null && values.includes(text) ? text : null;
}

function toRoom(room: ListedRoom): Static<typeof listedRoom> {
  return {
    room_id: room.roomId,
    name: room.text('m.room.name', 'name'),
    canonical_alias: room.text('m.room.canonical_alias', 'alias'),
    joined_members: room.joined,
    joined_local_members: room.joinedHere,
    version: room.version,
    creator: room.creator,
    encryption: room.text('m.room.encryption', 'algorithm'),
    federatable: room.isFederated,
    public: room.isPublished,
    join_rules: room.text('m.room.join_rules', 'join_rule'),
    guest_access: oneOf(guestAccess, room.text('m.room.guest_access', 'guest_access')),
    history_visibility: oneOf(visibilities, room.text('m.room.history_visibility', 'history_visibility')),
    state_events: room.stateEvents,
    room_type: room.text('m.room.create', 'type'),
  };
}

/** As tools call them, the old names with them. */
const order = Type.Union(
  [
    Type.Literal('name'),
    Type.Literal('alphabetical'),
    Type.Literal('canonical_alias'),
    Type.Literal('joined_members'),
    Type.Literal('size'),
    Type.Literal('joined_local_members'),
    Type.Literal('version'),
    Type.Literal('creator'),
    Type.Literal('encryption'),
    Type.Literal('federatable'),
    Type.Literal('public'),
    Type.Literal('join_rules'),
    Type.Literal('guest_access'),
    Type.Literal('history_visibility'),
  ],
  {
    description:
      'The order in which the server came to know them, if it is not said. Up to ten thousand rooms are sorted; by size, ten thousand of more.',
  },
);

function toOrder(by: Static<typeof order>): RoomOrder {
  if (by === 'alphabetical') return 'name';
  return by === 'size' ? 'joined_members' : by;
}

export const listRooms = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/rooms',
    operationId: 'listRooms',
    summary: 'Lists the rooms that this server knows.',
    auth: 'admin',
    query: Type.Object({
      from: Type.Optional(Type.Integer({ minimum: 0 })),
      limit: Type.Optional(Type.Integer({ minimum: 0 })),
      dir: Type.Optional(Type.Union([Type.Literal('f'), Type.Literal('b')])),
      order_by: Type.Optional(order),
      public_rooms: Type.Optional(Type.Boolean({ description: 'Whether they are in the directory.' })),
      empty_rooms: Type.Optional(Type.Boolean({ description: 'Whether nobody is in them.' })),
      search_term: Type.Optional(
        Type.String({ maxLength: 255, description: 'Part of the name, the main address or the ID.' }),
      ),
    }),
    response: Type.Object(
      {
        rooms: Type.Array(listedRoom),
        offset: Type.Integer(),
        total_rooms: Type.Integer(),
        next_batch: Type.Optional(Type.Integer()),
      },
      { title: 'RoomList' },
    ),
  },
  ({ roomList }: Services) =>
    async ({ query }) => {
      const { from = 0, limit = 100, dir = 'f', search_term: search = '', order_by: by } = query;
      const filter = { search, isPublic: query.public_rooms, isEmpty: query.empty_rooms };
      const order = by === undefined ? undefined : toOrder(by);
      const page = await roomList.list({ ...filter, from, limit, order, isDescending: dir === 'b' });
      const { rooms, offset, next, total } = page;
      return {
        rooms: rooms.map(toRoom),
        offset,
        total_rooms: total,
        ...(next !== undefined && { next_batch: next }),
      };
    },
);

export const getRoom = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/rooms/:roomId',
    operationId: 'getRoomAsAdmin',
    summary: 'Tells what is known of a room.',
    auth: 'admin',
    params,
    response: Type.Object({ ...facts, avatar: optionalText, topic: optionalText }, { title: 'RoomForAdministrators' }),
  },
  ({ roomList }: Services) =>
    async ({ params: { roomId } }) => {
      const room = await roomList.get(roomId);
      return {
        ...toRoom(room),
        avatar: room.text('m.room.avatar', 'url'),
        topic: room.text('m.room.topic', 'topic'),
      };
    },
);

export const listRoomMembers = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/rooms/:roomId/members',
    operationId: 'listRoomMembers',
    summary: 'Lists who is in a room.',
    auth: 'admin',
    params,
    query: Type.Object({
      from: Type.Optional(Type.String({ description: 'next_token of the page before, or how many to leave out.' })),
      limit: Type.Optional(Type.Integer({ minimum: 1, description: '10000, which is the most as well.' })),
    }),
    response: Type.Object(
      { members: Type.Array(Type.String()), total: Type.Integer(), next_token: Type.Optional(Type.String()) },
      { title: 'RoomMembersForAdministrators' },
    ),
  },
  ({ roomList }: Services) =>
    async ({ params: { roomId }, query: { from = '', limit = 10_000 } }) => {
      const { members, total, next } = await roomList.listMembers(roomId, { from, limit });
      return { members: [...members], total, ...(next !== undefined && { next_token: next }) };
    },
);
