import { Type } from 'typebox';
import type { Reported } from '../../../services/reporting/reported.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { endOf, pageEnd, pageQuery, reportParams, roomReport, toPage, toReportId, toRoomReport } from './schemas.ts';

/** There are no such calls in other servers. */
const path = '/_portico/admin/v1/room_reports';

export const listRoomReports = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'listRoomReports',
    summary: 'Lists the rooms that people have reported.',
    auth: 'admin',
    query: Type.Object({ ...pageQuery, room_id: Type.Optional(Type.String()) }),
    response: Type.Object({ room_reports: Type.Array(roomReport), ...pageEnd }, { title: 'RoomReports' }),
  },
  ({ reported }: { reported: Reported }) =>
    async ({ query }) => {
      const { user_id: reporter, room_id: roomId } = query;
      const page = await reported.list({ kind: 'room', reporter, roomId }, toPage(query));
      return { room_reports: page.reports.map(toRoomReport), ...endOf(page, query) };
    },
);

export const deleteRoomReport = endpoint(
  {
    method: 'DELETE',
    path: `${path}/:reportId`,
    operationId: 'deleteRoomReport',
    summary: 'Deletes a report of a room.',
    auth: 'admin',
    params: reportParams,
    response: emptyObject,
  },
  ({ reported }: { reported: Reported }) =>
    async ({ params }) => {
      await reported.remove('room', toReportId(params.reportId));
      return {};
    },
);
