import { Type, type Static } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ReportedThing, ReportPage } from '../../../services/reporting/reported.ts';

const optionalText = Type.Union([Type.String(), Type.Null()]);
const common = {
  id: Type.Integer(),
  received_ts: Type.Integer(),
  user_id: Type.String(),
  reason: Type.String(),
};
const ofRoom = { room_id: Type.String(), name: optionalText, canonical_alias: optionalText };

export const eventReport = Type.Object(
  { ...common, ...ofRoom, event_id: Type.String(), sender: optionalText, score: Type.Null() },
  { title: 'EventReport' },
);
export const userReport = Type.Object({ ...common, target_user_id: Type.String() }, { title: 'UserReport' });
export const roomReport = Type.Object({ ...common, ...ofRoom }, { title: 'RoomReport' });

export function toEventReport(report: ReportedThing): Static<typeof eventReport> {
  return { ...toRoomReport(report), event_id: report.subject, sender: report.sender, score: null };
}

export function toUserReport(report: ReportedThing): Static<typeof userReport> {
  return { ...commonOf(report), target_user_id: report.subject };
}

export function toRoomReport(report: ReportedThing): Static<typeof roomReport> {
  return { ...commonOf(report), room_id: report.roomId, name: report.roomName, canonical_alias: report.roomAlias };
}

function commonOf({ id, receivedAt, reporter, reason }: ReportedThing) {
  return { id, received_ts: receivedAt, user_id: reporter, reason };
}

export const pageQuery = {
  from: Type.Optional(Type.Integer({ minimum: 0 })),
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
  /** The newest first, unless it is `f`. */
  dir: Type.Optional(Type.Union([Type.Literal('b'), Type.Literal('f')])),
  user_id: Type.Optional(Type.String()),
};

/** `next_token` is there if there are more. */
export const pageEnd = { total: Type.Integer(), next_token: Type.Optional(Type.Integer()) };

type PageQuery = { readonly from?: number; readonly limit?: number; readonly dir?: 'b' | 'f' };

export function toPage({ from = 0, limit = 100, dir = 'b' }: PageQuery) {
  return { offset: from, limit, newestFirst: dir === 'b' };
}

export function endOf({ reports, total }: ReportPage, { from = 0 }: PageQuery): Static<typeof pageEndObject> {
  const next = from + reports.length;
  return next < total && reports.length > 0 ? { total, next_token: next } : { total };
}
const pageEndObject = Type.Object(pageEnd);

export const reportParams = Type.Object({ reportId: Type.String() });

export function toReportId(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new MatrixError('request.invalid-param', { message: 'The ID of a report is a number.' });
}
