import { Type } from 'typebox';
import { operation } from './operation.ts';
import { megabyte } from './pdu.ts';

const text = Type.Optional(Type.String());

/** "PublishedRoomsChunk": the same for clients and for servers. */
export const publishedRoomFields = {
  room_id: Type.String(),
  num_joined_members: Type.Integer(),
  world_readable: Type.Boolean(),
  guest_can_join: Type.Boolean(),
  join_rule: text,
  name: text,
  topic: text,
  avatar_url: text,
  canonical_alias: text,
  room_type: text,
};
const chunk = Type.Object(publishedRoomFields, { title: 'PublishedRoomOfServer' });
const response = Type.Object(
  {
    chunk: Type.Array(chunk),
    next_batch: text,
    prev_batch: text,
    total_room_count_estimate: Type.Optional(Type.Integer()),
  },
  { title: 'PublishedRoomsOfServer' },
);
const path = '/_matrix/federation/v1/publicRooms';
const limits = { answerLimit: 4 * megabyte, timeout: 20_000 };
const network = { include_all_networks: Type.Optional(Type.Boolean()), third_party_instance_id: text };
const page = { limit: Type.Optional(Type.Integer()), since: Type.Optional(Type.String({ minLength: 1 })) };

export const getPublicRooms = operation({
  method: 'GET',
  path,
  operationId: 'getPublicRoomsOfServer',
  summary: 'Lists the rooms that are published here.',
  auth: 'server',
  query: Type.Object({ ...page, ...network }),
  response,
  ...limits,
});

const optional = <T extends Parameters<typeof Type.Optional>[0]>(type: T) =>
  Type.Optional(Type.Union([type, Type.Null()]));

export const queryPublicRooms = operation({
  method: 'POST',
  path,
  operationId: 'queryPublicRoomsOfServer',
  summary: 'Lists the rooms that are published here and pass a filter.',
  auth: 'server',
  body: Type.Object(
    {
      ...page,
      ...network,
      filter: Type.Optional(
        Type.Object({
          generic_search_term: optional(Type.String()),
          room_types: optional(Type.Array(Type.Union([Type.String(), Type.Null()]))),
        }),
      ),
    },
    { title: 'QueryPublicRoomsOfServer' },
  ),
  response,
  ...limits,
});
