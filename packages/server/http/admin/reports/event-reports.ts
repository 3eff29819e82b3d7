import { Type } from 'typebox';
import type { Reported } from '../../../services/reporting/reported.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { emptyObject, jsonObject } from '../../schemas.ts';
import { endOf, eventReport, pageEnd, pageQuery, reportParams, toEventReport, toPage, toReportId } from './schemas.ts';

const path = '/_synapse/admin/v1/event_reports';

export const listEventReports = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'listEventReports',
    summary: 'Lists the events that people have reported.',
    auth: 'admin',
    query: Type.Object({
      ...pageQuery,
      room_id: Type.Optional(Type.String()),
      event_sender_user_id: Type.Optional(Type.String()),
    }),
    response: Type.Object({ event_reports: Type.Array(eventReport), ...pageEnd }, { title: 'EventReports' }),
  },
  ({ reported }: { reported: Reported }) =>
    async ({ query }) => {
      const { user_id: reporter, room_id: roomId, event_sender_user_id: about } = query;
      const page = await reported.list({ kind: 'event', reporter, roomId, about }, toPage(query));
      return { event_reports: page.reports.map(toEventReport), ...endOf(page, query) };
    },
);

export const getEventReport = endpoint(
  {
    method: 'GET',
    path: `${path}/:reportId`,
    operationId: 'getEventReport',
    summary: 'Gets a report of an event, with the event.',
    auth: 'admin',
    params: reportParams,
    response: Type.Object({ ...eventReport.properties, event_json: jsonObject }, { title: 'EventReportInFull' }),
  },
  ({ reported }: { reported: Reported }) =>
    async ({ sender, params }) => {
      const report = await reported.get('event', toReportId(params.reportId));
      const event = await reported.readEvent(sender.userId, report.roomId, report.subject);
      return rawJson(`${JSON.stringify(toEventReport(report)).slice(0, -1)},"event_json":${event}}`);
    },
);

export const deleteEventReport = endpoint(
  {
    method: 'DELETE',
    path: `${path}/:reportId`,
    operationId: 'deleteEventReport',
    summary: 'Deletes a report of an event.',
    auth: 'admin',
    params: reportParams,
    response: emptyObject,
  },
  ({ reported }: { reported: Reported }) =>
    async ({ params }) => {
      await reported.remove('event', toReportId(params.reportId));
      return {};
    },
);
