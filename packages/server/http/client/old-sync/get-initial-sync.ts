import { Type } from 'typebox';
import type { OldSync } from '../../../services/old-sync/old-sync.ts';
import { endpoint } from '../../endpoint.ts';
import { initialSyncAnswer, roomInfo } from './schemas.ts';

const limit = Type.Optional(Type.Integer({ minimum: 0 }));

export const getInitialSync = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/initialSync',
    operationId: 'initialSync',
    summary: "Get the user's current state. Deprecated: /sync replaces it.",
    auth: 'user',
    query: Type.Object({ limit, archived: Type.Optional(Type.Boolean()) }),
    response: initialSyncAnswer,
  },
  ({ oldSync }: { oldSync: OldSync }) =>
    ({ sender: { userId, deviceId }, query, signal }) =>
      oldSync.initialSync({ userId, deviceId, limit: query.limit, archived: query.archived ?? false, signal }),
);

export const getRoomInitialSync = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/rooms/:roomId/initialSync',
    operationId: 'roomInitialSync',
    summary: 'Snapshot the current state of a room and its most recent messages.',
    auth: 'user',
    params: Type.Object({ roomId: Type.String() }),
    query: Type.Object({ limit }),
    response: roomInfo,
  },
  ({ oldSync }: { oldSync: OldSync }) =>
    ({ sender, params, query }) =>
      oldSync.roomInitialSync(sender, params.roomId, query.limit),
);
