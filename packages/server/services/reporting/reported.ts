import { isJsonObject, parseJson } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { readRoomNids, readStateContents } from '@portico/storage/stores/directory/room-summaries.ts';
import { findEvent } from '@portico/storage/stores/events/timeline.ts';
import {
  findReport,
  isReported,
  readReports,
  removeReport,
  type ReportFilter,
  type ReportKind,
  type ReportRow,
} from '@portico/storage/stores/rooms/reports.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ReadingContext } from '../reading/context.ts';
import { redactedRow } from '../reading/redacted-row.ts';
import { rawRender } from '../reading/render.ts';

export type { ReportFilter, ReportKind };

export type ReportedThing = {
  readonly id: number;
  readonly receivedAt: number;
  readonly reporter: string;
  /** '' for reports of people. */
  readonly roomId: string;
  /** The event or the person; '' for reports of rooms. */
  readonly subject: string;
  readonly reason: string;
  /** Of the event. */
  readonly sender: string | null;
  readonly roomName: string | null;
  readonly roomAlias: string | null;
};

export type ReportPage = { readonly reports: readonly ReportedThing[]; readonly total: number };

/** What administrators read of what people have reported, and no more of their rooms than that. */
export interface Reported {
  list(
    filter: ReportFilter,
    page: { readonly offset: number; readonly limit: number; readonly newestFirst: boolean },
  ): Promise<ReportPage>;
  get(kind: ReportKind, id: number): Promise<ReportedThing>;
  /** Done with it. */
  remove(kind: ReportKind, id: number): Promise<void>;
  /** A reported event as clients get it, as JSON text. Throws `event.not-found` for one that nobody has reported. */
  readEvent(administrator: string, roomId: string, eventId: string): Promise<string>;
}

type Dependencies = { readonly db: Database; readonly reading: ReadingContext; readonly serverName: string };
const maxPage = 1000;

export function createReported({ db, reading, serverName }: Dependencies): Reported {
  // Who had their account erased has no name; programs that read reports expect a user ID. Nobody can have this one.
  const someone = `@:${serverName}`;

  async function withRooms(rows: readonly ReportRow[]): Promise<ReportedThing[]> {
    const nids = await readRoomNids(db, [...new Set(rows.map((row) => row.room_id))]);
    const state = await readStateContents(db, [...nids.values()], ['m.room.name', 'm.room.canonical_alias']);
    const texts = new Map(state.map(({ room_nid: nid, type, content }) => [`${nid} ${type}`, content]));
    return rows.map((row) => {
      const nid = nids.get(row.room_id);
      return {
        id: row.report_nid,
        receivedAt: row.received_at,
        reporter: row.reporter || someone,
        roomId: row.room_id,
        subject: row.subject,
        reason: row.reason,
        sender: row.sender,
        roomName: field(texts.get(`${nid} m.room.name`), 'name'),
        roomAlias: field(texts.get(`${nid} m.room.canonical_alias`), 'alias'),
      };
    });
  }

  return {
    async list(filter, { offset, limit, newestFirst }) {
      const { rows, total } = await readReports(db, filter, { offset, limit: Math.min(limit, maxPage), newestFirst });
      return { reports: await withRooms(rows), total };
    },
    async get(kind, id) {
      const row = await findReport(db, id, kind);
      const [report] = row === undefined ? [] : await withRooms([row]);
      if (report === undefined) throw new MatrixError('report.not-found');
      return report;
    },
    async remove(kind, id) {
      const set = createWriteSet();
      removeReport(set, id, kind);
      await db.commit(set);
    },
    async readEvent(administrator, roomId, eventId) {
      const roomNid = await reading.rooms.find(roomId);
      const isKnown = roomNid !== undefined && (await isReported(db, roomId, eventId));
      const row = isKnown ? await findEvent(db, roomNid, eventId) : undefined;
      if (row === undefined) throw new MatrixError('event.not-found');
      // As for everybody who was not there.
      const isErased = (await reading.erasedSenders.among([row.sender])).has(row.sender);
      const seen = isErased ? await redactedRow(db, row) : row;
      const reader = { userId: administrator, deviceId: '' };
      return (await rawRender(reading, reader, roomId, [{ row: seen }])).slice(1, -1);
    },
  };
}

function field(content: string | undefined, name: string): string | null {
  const parsed = content === undefined ? undefined : parseJson(content);
  const value = isJsonObject(parsed) ? parsed[name] : undefined;
  return typeof value === 'string' ? value : null;
}
