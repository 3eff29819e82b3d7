import { Type } from 'typebox';
import type { Reports } from '../../../services/reporting/reports.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

const reasonRequired = Type.Object({ reason: Type.String() }, { title: 'ReportReason' });

export const reportRoom = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/report',
    operationId: 'reportRoom',
    summary: 'Report a room as inappropriate',
    auth: 'user',
    rateLimit: 'report',
    params: Type.Object({ roomId: Type.String() }),
    body: reasonRequired,
    response: emptyObject,
  },
  ({ reports }: { reports: Reports }) =>
    async ({ sender, params, body }) => {
      await reports.reportRoom(sender.userId, params.roomId, body.reason);
      return {};
    },
);

export const reportEvent = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/report/:eventId',
    operationId: 'reportEvent',
    summary: 'Report an event in a joined room as inappropriate',
    auth: 'user',
    rateLimit: 'report',
    params: Type.Object({ roomId: Type.String(), eventId: Type.String() }),
    // `score` is of older versions of the spec, and ignored.
    body: Type.Object({ reason: Type.Optional(Type.String()) }, { title: 'ReportEvent' }),
    response: emptyObject,
  },
  ({ reports }: { reports: Reports }) =>
    async ({ sender, params, body }) => {
      await reports.reportEvent(sender.userId, params.roomId, params.eventId, body.reason ?? '');
      return {};
    },
);

export const reportUser = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/users/:userId/report',
    operationId: 'reportUser',
    summary: 'Report a user as inappropriate',
    auth: 'user',
    rateLimit: 'report',
    params: Type.Object({ userId: Type.String() }),
    body: reasonRequired,
    response: emptyObject,
  },
  ({ reports }: { reports: Reports }) =>
    async ({ sender, params, body }) => {
      await reports.reportUser(sender.userId, params.userId, body.reason);
      return {};
    },
);
