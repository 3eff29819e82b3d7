import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type Report = {
  readonly reportNid: number;
  readonly kind: 'event' | 'room' | 'user';
  readonly reporter: string;
  /** The room; '' for reports of people. */
  readonly roomId: string;
  /** The event or the person; '' for reports of rooms. */
  readonly subject: string;
  readonly reason: string;
  readonly receivedAt: number;
};

export type ReportRow = {
  readonly report_nid: number;
  readonly kind: string;
  readonly reporter: string;
  readonly room_id: string;
  readonly subject: string;
  readonly reason: string;
  readonly received_at: number;
};

const insertReport = sql<
  void,
  [nid: number, kind: string, reporter: string, roomId: string, subject: string, reason: string, receivedAt: number]
>(
  'reports.insert',
  `insert into reports (report_nid, kind, reporter, room_id, subject, reason, received_at)
   values ($1, $2, $3, $4, $5, $6, $7)`,
);

const countByReporter = sql<{ count: number }, [reporter: string, limit: number]>(
  'reports.count',
  'select count(*) as count from (select 1 as one from reports where reporter = $1 limit $2) as counted',
);

const selectNewest = sql<ReportRow, [before: number, limit: number]>(
  'reports.newest',
  `select report_nid, kind, reporter, room_id, subject, reason, received_at from reports
   where report_nid < $1 order by report_nid desc limit $2`,
);

export function addReport(set: WriteSet, report: Report): void {
  const { reportNid, kind, reporter, roomId, subject, reason, receivedAt } = report;
  set.add(insertReport, [reportNid, kind, reporter, roomId, subject, reason, receivedAt]);
}

/** How many reports of somebody are kept; counts no further than `limit`. */
export async function countReports(reader: Reader, reporter: string, limit: number): Promise<number> {
  return (await reader.get(countByReporter, [reporter, limit]))?.count ?? 0;
}

/** The newest first. */
export function readReports(reader: Reader, before: number, limit: number): Promise<ReportRow[]> {
  return reader.all(selectNewest, [before, limit]);
}
