import { type Static, Type } from 'typebox';
import type { ListedRoom, RoomList } from '../../../services/rooms/listing/room-list.ts';
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
    guest_access: room.text('m.room.guest_access', 'guest_access'),
    history_visibility: room.text('m.room.history_visibility', 'history_visibility'),
    state_events: room.stateEvents,
    room_type: room.text('m.room.create', 'type'),
  };
}

export const listRooms = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/rooms',
    operationId: 'listRooms',
    summary: 'Lists the rooms that this server knows, in the order in which it came to know them.',
    auth: 'admin',
    query: Type.Object({
      from: Type.Optional(Type.Integer({ minimum: 0 })),
      limit: Type.Optional(Type.Integer({ minimum: 0 })),
      dir: Type.Optional(Type.Union([Type.Literal('f'), Type.Literal('b')])),
      order_by: Type.Optional(Type.String({ description: 'There is one order only.' })),
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
    async ({ query: { from = 0, limit = 100, dir = 'f', search_term: search = '' } }) => {
      const { rooms, offset, next, total } = await roomList.list({ from, limit, isDescending: dir === 'b', search });
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
      from: Type.Optional(Type.String({ description: 'next_token of the page before.' })),
      limit: Type.Optional(Type.Integer({ minimum: 1, description: '10000, which is the most as well.' })),
    }),
    response: Type.Object(
      { members: Type.Array(Type.String()), total: Type.Integer(), next_token: Type.Optional(Type.String()) },
      { title: 'RoomMembersForAdministrators' },
    ),
  },
  ({ roomList }: Services) =>
    async ({ params: { roomId }, query: { from = '', limit = 10_000 } }) => {
      const { members, total, next } = await roomList.listMembers(roomId, { after: from, limit });
      return { members: [...members], total, ...(next !== undefined && { next_token: next }) };
    },
);
