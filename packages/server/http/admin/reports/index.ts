import type { Reported } from '../../../services/reporting/reported.ts';
import type { Endpoint } from '../../endpoint.ts';
import { deleteEventReport, getEventReport, listEventReports } from './event-reports.ts';
import { getReportedEvent } from './get-reported-event.ts';
import { deleteRoomReport, listRoomReports } from './room-reports.ts';
import { deleteUserReport, getUserReport, listUserReports } from './user-reports.ts';

/** What people have reported, for those who do something about it. */
export const reportEndpoints: readonly Endpoint<{ reported: Reported }>[] = [
  listEventReports,
  getEventReport,
  deleteEventReport,
  getReportedEvent,
  listUserReports,
  getUserReport,
  deleteUserReport,
  listRoomReports,
  deleteRoomReport,
];
