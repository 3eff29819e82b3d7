import { Type } from 'typebox';

const text = Type.Optional(Type.String());

export const publicRoomsChunk = {
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

export const publicRoomsResponse = Type.Object(
  {
    chunk: Type.Array(Type.Object(publicRoomsChunk, { title: 'PublishedRoomsChunk' })),
    next_batch: text,
    prev_batch: text,
    total_room_count_estimate: Type.Optional(Type.Integer()),
  },
  { title: 'PublicRooms' },
);

/** What the summary of one room says besides. */
export const roomSummaryFields = {
  ...publicRoomsChunk,
  room_version: text,
  encryption: text,
  allowed_room_ids: Type.Optional(Type.Array(Type.String())),
};

export const aliasParams = Type.Object({ roomAlias: Type.String() });
export const roomParams = Type.Object({ roomId: Type.String() });
