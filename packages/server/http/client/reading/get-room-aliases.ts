import { Type } from 'typebox';
import type { ReadingContext } from '../../../services/reading/context.ts';
import { readAliases } from '../../../services/reading/reading.ts';
import { endpoint } from '../../endpoint.ts';
import { roomParams } from './schemas.ts';

export const getRoomAliases = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/rooms/:roomId/aliases',
    operationId: 'getLocalAliases',
    summary: 'Get a list of local aliases on a given room',
    auth: 'user',
    params: roomParams,
    response: Type.Object({ aliases: Type.Array(Type.String()) }, { title: 'RoomAliases' }),
  },
  ({ reading }: { reading: ReadingContext }) =>
    async ({ sender, params }) => ({ aliases: await readAliases(reading, sender.userId, params.roomId) }),
);
