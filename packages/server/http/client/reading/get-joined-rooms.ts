import { Type } from 'typebox';
import type { ReadingContext } from '../../../services/reading/context.ts';
import { readJoinedRooms } from '../../../services/reading/reading.ts';
import { endpoint } from '../../endpoint.ts';

export const getJoinedRooms = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/joined_rooms',
    operationId: 'getJoinedRooms',
    summary: "Lists the user's current rooms",
    auth: 'user',
    response: Type.Object({ joined_rooms: Type.Array(Type.String()) }, { title: 'JoinedRooms' }),
  },
  ({ reading }: { reading: ReadingContext }) =>
    async ({ sender }) => ({ joined_rooms: await readJoinedRooms(reading, sender.userId) }),
);
