import { Type } from 'typebox';
import type { Reported } from '../../../services/reporting/reported.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { endOf, pageEnd, pageQuery, reportParams, toPage, toReportId, toUserReport, userReport } from './schemas.ts';

const path = '/_synapse/admin/v1/user_reports';

export const listUserReports = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'listUserReports',
    summary: 'Lists the people who have been reported.',
    auth: 'admin',
    query: Type.Object({ ...pageQuery, target_user_id: Type.Optional(Type.String()) }),
    response: Type.Object({ user_reports: Type.Array(userReport), ...pageEnd }, { title: 'UserReports' }),
  },
  ({ reported }: { reported: Reported }) =>
    async ({ query }) => {
      const { user_id: reporter, target_user_id: about } = query;
      const page = await reported.list({ kind: 'user', reporter, about }, toPage(query));
      return { user_reports: page.reports.map(toUserReport), ...endOf(page, query) };
    },
);

export const getUserReport = endpoint(
  {
    method: 'GET',
    path: `${path}/:reportId`,
    operationId: 'getUserReport',
    summary: 'Gets a report of somebody.',
    auth: 'admin',
    params: reportParams,
    response: userReport,
  },
  ({ reported }: { reported: Reported }) =>
    async ({ params }) =>
      toUserReport(await reported.get('user', toReportId(params.reportId))),
);

export const deleteUserReport = endpoint(
  {
    method: 'DELETE',
    path: `${path}/:reportId`,
    operationId: 'deleteUserReport',
    summary: 'Deletes a report of somebody.',
    auth: 'admin',
    params: reportParams,
    response: emptyObject,
  },
  ({ reported }: { reported: Reported }) =>
    async ({ params }) => {
      await reported.remove('user', toReportId(params.reportId));
      return {};
    },
);
