import { Type } from 'typebox';
import { type HierarchyDependencies, readHierarchy } from '../../../services/spaces/hierarchy.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { pageToken } from '../../schemas.ts';
import { roomParams, roomSummaryFields } from '../directory/schemas.ts';

const childState = Type.Object(
  {
    content: Type.Object({}),
    origin_server_ts: Type.Integer(),
    sender: Type.String(),
    state_key: Type.String(),
    type: Type.String(),
  },
  { title: 'StrippedChildStateEvent' },
);

export const getSpaceHierarchy = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/rooms/:roomId/hierarchy',
    operationId: 'getSpaceHierarchy',
    summary: 'Retrieve a portion of a space tree',
    auth: 'user',
    rateLimit: 'directory',
    params: roomParams,
    query: Type.Object({
      suggested_only: Type.Optional(Type.Boolean()),
      limit: Type.Optional(Type.Integer()),
      max_depth: Type.Optional(Type.Integer()),
      from: pageToken,
    }),
    response: Type.Object(
      {
        rooms: Type.Array(
          Type.Object(
            { ...roomSummaryFields, children_state: Type.Array(childState) },
            { title: 'SpaceHierarchyRoomsChunk' },
          ),
        ),
        next_batch: Type.Optional(Type.String()),
      },
      { title: 'SpaceHierarchy' },
    ),
  },
  ({ spaces }: { spaces: HierarchyDependencies }) =>
    async ({ sender, params, query }) =>
      rawJson(
        await readHierarchy(spaces, sender.userId, {
          roomId: params.roomId,
          suggestedOnly: query.suggested_only ?? false,
          maxDepth: query.max_depth,
          limit: query.limit,
          from: query.from,
        }),
      ),
);
