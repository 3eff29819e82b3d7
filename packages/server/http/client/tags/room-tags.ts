import type { JsonObject } from '@portico/protocol';
import { Type } from 'typebox';
import type { Tags } from '../../../services/tags/tags.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { refuseOthers } from '../account-data/own-user.ts';
import { refuseBadRoomId } from '../account-data/room-id.ts';

const path = '/_matrix/client/v3/user/:userId/rooms/:roomId/tags';
const tagParams = Type.Object({ userId: Type.String(), roomId: Type.String(), tag: Type.String() });

export const getRoomTags = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'getRoomTags',
    summary: 'List the tags that a user set on a room',
    auth: 'user',
    params: Type.Object({ userId: Type.String(), roomId: Type.String() }),
    response: Type.Object({ tags: Type.Object({}) }, { title: 'RoomTags' }),
  },
  ({ tags }: { tags: Tags }) =>
    async ({ sender, params }) => {
      refuseOthers(sender, params.userId);
      refuseBadRoomId(params.roomId);
      return { tags: await tags.all(sender.userId, params.roomId) };
    },
);

export const setRoomTag = endpoint(
  {
    method: 'PUT',
    path: `${path}/:tag`,
    operationId: 'setRoomTag',
    summary: 'Add a tag to a room',
    auth: 'user',
    rateLimit: 'account-data',
    params: tagParams,
    body: Type.Unsafe<JsonObject>(Type.Object({ order: Type.Optional(Type.Number()) }, { title: 'Tag' })),
    response: emptyObject,
  },
  ({ tags }: { tags: Tags }) =>
    async ({ sender, params, body }) => {
      refuseOthers(sender, params.userId);
      refuseBadRoomId(params.roomId);
      await tags.set(sender.userId, params.roomId, params.tag, body);
      return {};
    },
);

export const deleteRoomTag = endpoint(
  {
    method: 'DELETE',
    path: `${path}/:tag`,
    operationId: 'deleteRoomTag',
    summary: 'Remove a tag from a room',
    auth: 'user',
    rateLimit: 'account-data',
    params: tagParams,
    response: emptyObject,
  },
  ({ tags }: { tags: Tags }) =>
    async ({ sender, params }) => {
      refuseOthers(sender, params.userId);
      refuseBadRoomId(params.roomId);
      await tags.remove(sender.userId, params.roomId, params.tag);
      return {};
    },
);
