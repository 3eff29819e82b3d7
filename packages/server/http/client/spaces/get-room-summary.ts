import { Type } from 'typebox';
import type { HierarchyDependencies } from '../../../services/spaces/hierarchy.ts';
import { readRoomSummary } from '../../../services/spaces/room-summary.ts';
import { endpoint } from '../../endpoint.ts';
import { roomSummaryFields } from '../directory/schemas.ts';

export const getRoomSummary = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/room_summary/:roomIdOrAlias',
    unstablePaths: [
      '/_matrix/client/unstable/im.nheko.summary/summary/:roomIdOrAlias',
      '/_matrix/client/unstable/im.nheko.summary/rooms/:roomIdOrAlias/summary',
    ],
    operationId: 'getRoomSummary',
    summary: 'Retrieve a summary for a room',
    auth: 'optional',
    rateLimit: 'directory',
    params: Type.Object({ roomIdOrAlias: Type.String() }),
    query: Type.Object({ via: Type.Optional(Type.Array(Type.String())) }),
    response: Type.Object({ ...roomSummaryFields, membership: Type.Optional(Type.String()) }, { title: 'RoomSummary' }),
  },
  ({ spaces }: { spaces: HierarchyDependencies }) =>
    ({ sender, params, query }) =>
      readRoomSummary(spaces, sender?.userId, params.roomIdOrAlias, query.via),
);
