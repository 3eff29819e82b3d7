import { Type } from 'typebox';
import { publishedRoomFields } from '../../../federation-api/public-rooms.ts';

const text = Type.Optional(Type.String());

export const publicRoomsResponse = Type.Object(
  {
    chunk: Type.Array(Type.Object(publishedRoomFields, { title: 'PublishedRoomsChunk' })),
    next_batch: text,
    prev_batch: text,
    total_room_count_estimate: Type.Optional(Type.Integer()),
  },
  { title: 'PublicRooms' },
);

/** What the summary of one room says besides. */
export const roomSummaryFields = {
  ...publishedRoomFields,
  room_version: text,
  encryption: text,
  allowed_room_ids: Type.Optional(Type.Array(Type.String())),
};

export const aliasParams = Type.Object({ roomAlias: Type.String() });
export const roomParams = Type.Object({ roomId: Type.String() });
