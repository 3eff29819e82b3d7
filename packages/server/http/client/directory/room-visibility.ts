import { Type } from 'typebox';
import type { RoomDirectory } from '../../../services/directory/room-directory.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { roomParams } from './schemas.ts';

const path = '/_matrix/client/v3/directory/list/room/:roomId';
const visibility = Type.Union([Type.Literal('public'), Type.Literal('private')]);

export const getRoomVisibilityOnDirectory = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'getRoomVisibilityOnDirectory',
    summary: 'Gets the visibility of a room in the directory',
    auth: 'anyone',
    rateLimit: 'directory',
    params: roomParams,
    response: Type.Object({ visibility }, { title: 'RoomVisibility' }),
  },
  ({ directory }: { directory: RoomDirectory }) =>
    async ({ params }) =>
      ({ visibility: (await directory.isPublished(params.roomId)) ? 'public' : 'private' }) as const,
);

export const setRoomVisibilityOnDirectory = endpoint(
  {
    method: 'PUT',
    path,
    operationId: 'setRoomVisibilityOnDirectory',
    summary: 'Sets the visibility of a room in the directory',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'alias',
    params: roomParams,
    // "Defaults to `public`."
    body: Type.Object({ visibility: Type.Optional(visibility) }, { title: 'SetRoomVisibility' }),
    response: emptyObject,
  },
  ({ directory }: { directory: RoomDirectory }) =>
    async ({ sender, params, body }) => {
      await directory.setPublished(sender, params.roomId, body.visibility !== 'private');
      return {};
    },
);
