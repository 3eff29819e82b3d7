import { Type } from 'typebox';
import type { MutualRooms } from '../../../services/mutual-rooms/mutual-rooms.ts';
import { endpoint } from '../../endpoint.ts';
import { pageToken } from '../../schemas.ts';

export const getMutualRooms = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/mutual_rooms',
    unstablePaths: ['/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms'],
    operationId: 'getMutualRooms',
    summary: 'Get the list of rooms that the user shares with another user.',
    auth: 'user',
    rateLimit: 'profile',
    query: Type.Object({ user_id: Type.String(), from: pageToken }),
    response: Type.Object(
      { joined: Type.Array(Type.String()), count: Type.Integer(), next_batch: Type.Optional(Type.String()) },
      { title: 'MutualRooms' },
    ),
  },
  ({ mutualRooms }: { mutualRooms: MutualRooms }) =>
    ({ sender, query }) =>
      mutualRooms(sender.userId, query.user_id, query.from),
);
