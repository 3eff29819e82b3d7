import { isJsonObject, parseJson } from '@portico/protocol';
import { parseRelation } from '@portico/protocol/relations/relation.ts';
import type { Reader } from '@portico/storage';
import {
  type EditRow,
  readEdits,
  readReferences,
  readThreadShares,
  type ReferenceRow,
  type RelationTarget,
  type ThreadShareRow,
} from '@portico/storage/stores/events/relations-read.ts';
import { relationKinds } from '@portico/storage/stores/events/relations-write.ts';
import { readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { noBundles, noRedactions, renderEvent, type Bundles } from '../reading/client-event.ts';
import { asSeen, type RoomViewer, type Visibility } from '../reading/visibility.ts';
import { editText, referenceText, type Render, type Shown, threadText } from './bundle-texts.ts';
import { summariseThread, type ThreadSummary } from './thread-summary.ts';

/** Events of one room that are about to be shown, and on what grounds. */
export type BundledRoom = {
  readonly roomNid: number;
  readonly roomId: string;
  /** Whom visibility is judged for; `undefined` for somebody who was joined since before the events. */
  readonly viewer: RoomViewer | undefined;
  /** The place in the room's order behind which there is nothing for the viewer. */
  readonly end: number;
  readonly rows: readonly ClientEventRow[];
};

export type BundleReader = {
  readonly userId: string;
  readonly deviceId: string;
  readonly ignored: ReadonlySet<string>;
};

type Context = { readonly db: Reader; readonly visibility: Visibility; readonly now: () => number };

/**
 * What other events say about those of a page: their last edit, their thread, their references. As many queries for a
 * page as for one event, and none for a page to which nothing relates.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#aggregations-of-child-events}
 */
export async function readBundles(
  context: Context,
  reader: BundleReader,
  rooms: readonly BundledRoom[],
): Promise<Bundles> {
  const parents = parentsIn(rooms);
  if (parents.length === 0) return noBundles;
  const { db } = context;
  const [shares, edits, references] = await Promise.all([
    readThreadShares(db, targetsOf(parents, relationKinds['m.thread'])),
    readEdits(db, editedOf(parents)),
    readReferences(db, targetsOf(parents, relationKinds['m.reference'])),
  ]);
  const threads = summariseThreads(parents, groupByTarget(shares), reader);
  const latest = [...threads.values()].map(({ latestNid }) => latestNid);
  const roomOf = new Map(rooms.map((room) => [room.roomNid, room]));
  const shown = await readVisible(context, roomOf, [
    ...edits.map((edit) => edit.event_nid),
    ...latest,
    ...unsureReferences(references, roomOf),
  ]);
  const style = { now: context.now(), device: reader, membership: undefined, redactions: noRedactions };
  const render: Render = (row, bundles) =>
    renderEvent(row, { ...style, roomId: roomOf.get(row.room_nid)?.roomId, bundles });
  const latestRows = latest.flatMap((nid) => shown.get(nid) ?? []);
  const latestBundles = await readLatestBundles(context, reader, roomOf, latestRows, render);
  return bundleAll(parents, reader, { edits, references, shown }, render, (key) =>
    threadText(threads.get(key), shown, (row) => render(row, latestBundles)),
  );
}

/** "State events do not currently receive bundled aggregations." */
function parentsIn(rooms: readonly BundledRoom[]): readonly Parent[] {
  return rooms.flatMap((room) =>
    room.rows.filter((row) => row.relation_kinds !== null && row.state_key === null).map((row) => ({ room, row })),
  );
}

/** Threads by the event that they start at. */
function summariseThreads(
  parents: readonly Parent[],
  shares: ReadonlyMap<string, readonly ThreadShareRow[]>,
  reader: BundleReader,
): ReadonlyMap<string, ThreadSummary> {
  const threads = new Map<string, ThreadSummary>();
  for (const parent of parents) {
    const found = shares.get(keyOf(parent));
    const summary = found && summariseThread(found, parent.row.sender, reader);
    if (summary !== undefined) threads.set(keyOf(parent), summary);
  }
  return threads;
}

/** "Child events of the `latest_event` should themselves be aggregated". It starts no thread, being in one. */
async function readLatestBundles(
  context: Context,
  reader: BundleReader,
  roomOf: ReadonlyMap<number, BundledRoom>,
  latest: readonly ClientEventRow[],
  render: Render,
): Promise<Bundles> {
  const rowsOf = Map.groupBy(latest, (row) => row.room_nid);
  const parents = parentsIn([...roomOf.values()].map((room) => ({ ...room, rows: rowsOf.get(room.roomNid) ?? [] })));
  const [edits, references] = await Promise.all([
    readEdits(context.db, editedOf(parents)),
    readReferences(context.db, targetsOf(parents, relationKinds['m.reference'])),
  ]);
  const shown = await readVisible(context, roomOf, [
    ...edits.map((edit) => edit.event_nid),
    ...unsureReferences(references, roomOf),
  ]);
  return bundleAll(parents, reader, { edits, references, shown }, render);
}

/** What is shown with each event, with whatever else belongs there. */
function bundleAll(
  parents: readonly Parent[],
  reader: BundleReader,
  found: { readonly edits: readonly EditRow[]; readonly references: readonly ReferenceRow[]; readonly shown: Shown },
  render: Render,
  threadOf: (key: string) => string | undefined = () => undefined,
): Bundles {
  const { shown } = found;
  const editOf = groupByTarget(found.edits);
  const referencesOf = groupByTarget(found.references);
  const bundles = new Map<number, string>();
  for (const parent of parents) {
    const key = keyOf(parent);
    const shownReferences = (referencesOf.get(key) ?? []).filter((row) => mayShow(row, parent.room, reader, shown));
    const members = [editText(editOf.get(key), shown, render), threadOf(key), referenceText(shownReferences)].filter(
      (member) => member !== undefined,
    );
    if (members.length > 0) bundles.set(parent.row.event_nid, `{${members.join(',')}}`);
  }
  return bundles;
}

type Parent = { readonly room: BundledRoom; readonly row: ClientEventRow };
type OfTarget = { readonly room_nid: number; readonly target_id: string };

function keyOf({ row }: Parent): string {
  return `${row.room_nid} ${row.event_id}`;
}

function groupByTarget<T extends OfTarget>(rows: readonly T[]): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(rows, (row) => `${row.room_nid} ${row.target_id}`);
}

function targetsOf(parents: readonly Parent[], kind: number): RelationTarget[] {
  return parents
    .filter(({ row }) => ((row.relation_kinds ?? 0) & kind) !== 0)
    .map(({ room, row }) => ({ roomNid: room.roomNid, eventId: row.event_id, upTo: room.end }));
}

/**
 * "The original event must not, itself, have a `rel_type` of `m.replace`." "If the original event is redacted, any
 * `m.replace` relationship should not be bundled with it."
 */
function editedOf(parents: readonly Parent[]): RelationTarget[] {
  return targetsOf(
    parents.filter(({ row }) => row.redacted_by === null && !isEdit(row)),
    relationKinds['m.replace'],
  );
}

function isEdit({ content }: ClientEventRow): boolean {
  if (!content.includes('"m.relates_to"')) return false;
  const parsed = parseJson(content);
  return isJsonObject(parsed) && parseRelation(parsed)?.type === 'm.replace';
}

/** Events by number, without those that the viewer of their room may not see. */
async function readVisible(
  { db, visibility }: Context,
  rooms: ReadonlyMap<number, BundledRoom>,
  nids: readonly number[],
): Promise<Shown> {
  const shown = new Map<number, ClientEventRow>();
  const rows = await readEvents(db, [...new Set(nids)]);
  for (const [roomNid, ofRoom] of Map.groupBy(rows, (row) => row.room_nid)) {
    const viewer = rooms.get(roomNid)?.viewer;
    const sights = viewer && (await visibility.judge(viewer, ofRoom));
    for (const row of ofRoom) {
      const seen = sights === undefined ? row : asSeen(row, sights.get(row.event_nid));
      if (seen !== undefined) shown.set(row.event_nid, seen);
    }
  }
  return shown;
}

function isSure({ room_order: order }: ReferenceRow, { viewer }: BundledRoom): boolean {
  return viewer === undefined || (viewer.joinedSince !== undefined && order > viewer.joinedSince);
}

function unsureReferences(rows: readonly ReferenceRow[], rooms: ReadonlyMap<number, BundledRoom>): readonly number[] {
  return rows.flatMap((row) => {
    const room = rooms.get(row.room_nid);
    return room === undefined || isSure(row, room) ? [] : [row.event_nid];
  });
}

function mayShow(row: ReferenceRow, room: BundledRoom, { ignored }: BundleReader, shown: Shown): boolean {
  return !ignored.has(row.sender) && (isSure(row, room) || shown.has(row.event_nid));
}
