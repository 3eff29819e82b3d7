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

export type ReportKind = Report['kind'];

export type ReportRow = {
  readonly report_nid: number;
  /** '' where their account was erased. */
  readonly reporter: string;
  readonly room_id: string;
  readonly subject: string;
  readonly reason: string;
  readonly received_at: number;
  /** Of the event. */
  readonly sender: string | null;
};

/** Which reports are meant; what is absent does not matter. */
export type ReportFilter = {
  readonly kind: ReportKind;
  readonly reporter?: string | undefined;
  readonly roomId?: string | undefined;
  /** Who sent the event, or is reported. */
  readonly about?: string | undefined;
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

type FilterParams = [kind: string, reporter: string, roomId: string, about: string];

const columns = 'r.report_nid, r.reporter, r.room_id, r.subject, r.reason, r.received_at, e.sender';
const withEvent = `left join events e on r.kind = 'event' and e.event_id = r.subject`;
const matching = `r.kind = $1 and (cast($2 as text) = '' or r.reporter = $2) and (cast($3 as text) = '' or r.room_id = $3)
     and (cast($4 as text) = '' or coalesce(e.sender, r.subject) = $4)`;

type PageParams = [...FilterParams, offset: number, limit: number];

const selectOldestFirst = sql<ReportRow, PageParams>(
  'reports.oldest-first',
  `select ${columns} from reports r ${withEvent} where ${matching}
   order by r.received_at, r.report_nid limit $6 offset $5`,
);

const selectNewestFirst = sql<ReportRow, PageParams>(
  'reports.newest-first',
  `select ${columns} from reports r ${withEvent} where ${matching}
   order by r.received_at desc, r.report_nid desc limit $6 offset $5`,
);

const countMatching = sql<{ count: number }, FilterParams>(
  'reports.count-matching',
  `select count(*) as count from reports r ${withEvent} where ${matching}`,
);

const selectReport = sql<ReportRow, [nid: number, kind: string]>(
  'reports.get',
  `select ${columns} from reports r ${withEvent} where r.report_nid = $1 and r.kind = $2`,
);

const selectOfEvent = sql<{ reported: number }, [eventId: string, roomId: string]>(
  'reports.of-event',
  `select 1 as reported from reports where subject = $1 and kind = 'event' and room_id = $2 limit 1`,
);

const deleteReport = sql<void, [nid: number, kind: string]>(
  'reports.delete',
  'delete from reports where report_nid = $1 and kind = $2',
);

export function addReport(set: WriteSet, report: Report): void {
  const { reportNid, kind, reporter, roomId, subject, reason, receivedAt } = report;
  set.add(insertReport, [reportNid, kind, reporter, roomId, subject, reason, receivedAt]);
}

/** How many reports of somebody are kept; counts no further than `limit`. */
export async function countReports(reader: Reader, reporter: string, limit: number): Promise<number> {
  return (await reader.get(countByReporter, [reporter, limit]))?.count ?? 0;
}

/** A page of them in the order in which they came, or the other way round, and how many there are in all. */
export async function readReports(
  reader: Reader,
  filter: ReportFilter,
  page: { readonly offset: number; readonly limit: number; readonly newestFirst: boolean },
): Promise<{ readonly rows: readonly ReportRow[]; readonly total: number }> {
  const { kind, reporter = '', roomId = '', about = '' } = filter;
  const [rows, counted] = await Promise.all([
    reader.all(page.newestFirst ? selectNewestFirst : selectOldestFirst, [
      kind,
      reporter,
      roomId,
      about,
      page.offset,
      page.limit,
    ]),
    reader.get(countMatching, [kind, reporter, roomId, about]),
  ]);
  return { rows, total: counted?.count ?? 0 };
}

export function findReport(reader: Reader, reportNid: number, kind: ReportKind): Promise<ReportRow | undefined> {
  return reader.get(selectReport, [reportNid, kind]);
}

/** Whether anybody has reported an event. */
export async function isReported(reader: Reader, roomId: string, eventId: string): Promise<boolean> {
  return (await reader.get(selectOfEvent, [eventId, roomId])) !== undefined;
}

/** Fails on the guard `report.not-found`. */
export function removeReport(set: WriteSet, reportNid: number, kind: ReportKind): void {
  set.guard('report.not-found', 1, deleteReport, [reportNid, kind]);
}
