import type { Filter } from '@portico/protocol/sync-filter/filter.ts';
import { readPdus, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { readRedactions } from '../reading/event-reader.ts';
import type { SyncContext, SyncPass } from './pass.ts';
import { isNaming } from './named-rooms.ts';
import { type PlacedTimeline, readPlacedTimelines } from './placed-timeline.ts';
import type { Bundles } from '../reading/client-event.ts';
import { renderEvents, type EventForm } from './render.ts';
import { readStateDeltas, type StateDelta } from './states.ts';
import type { Span, Timeline } from './timelines.ts';

/** What a room's timeline and state bring, for everybody who was joined all along. */
export type Batch = {
  readonly timeline: Timeline;
  /** The root of the room's state at the end of it. */
  readonly end: number;
  readonly state: readonly ClientEventRow[];
  /** The last events of entries that the state no longer has. */
  readonly gone: readonly ClientEventRow[];
  readonly redactions: ReadonlyMap<number, ClientEventRow>;
  /** Who sent what is in the timeline. */
  readonly senders: ReadonlySet<string>;
  /** Whether memberships changed. */
  readonly hasMembers: boolean;
  /** Whether what the room is called may have changed. */
  readonly hasName: boolean;
};

/** A batch whose text is the same for all who sent none of it and ignore nobody in it. */
export type SharedBatch = Batch & {
  /** Whether other events say something about those of the timeline that is shown with them. */
  readonly hasRelated: boolean;
  /** The timeline's events for one reader, without brackets. */
  timelineFor(reader: BatchReader, bundles: Bundles): string;
};

export type BatchReader = {
  readonly userId: string;
  readonly deviceId: string;
  readonly ignored: ReadonlySet<string>;
  readonly now: number;
};

export interface Batches {
  /** Batches of spans without a viewer, each made once for everybody who asks for the same. */
  find(
    spans: readonly Span[],
    look: { readonly filter: Filter; readonly shape: number; readonly stateField: SyncPass['stateField'] },
    now: number,
  ): Promise<ReadonlyMap<number, SharedBatch>>;
  readonly stats: {
    readonly hits: number;
    readonly misses: number;
    readonly entries: number;
    readonly bytes: number;
    readonly maxBytes: number;
  };
}

type Entry = { readonly batch: Promise<readonly [number, SharedBatch]>; bytes: number };

/** Ages in a text may be that many milliseconds behind before it is written anew. */
const maxTextAge = 2000;

export function createBatches(
  context: SyncContext,
  { maxEntries = 2000, maxBytes = 16 * 1024 * 1024 }: { maxEntries?: number; maxBytes?: number } = {},
): Batches {
  const entries = new Map<string, Entry>();
  const stats = { hits: 0, misses: 0, entries: 0, bytes: 0, maxBytes };

  function drop(key: string): void {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    stats.bytes -= entry.bytes;
    stats.entries = entries.size;
  }

  function makeRoom(): void {
    for (const key of entries.keys()) {
      if (entries.size <= maxEntries && stats.bytes <= maxBytes) return;
      drop(key);
    }
  }

  function weigh(key: string, entry: Entry, batch: Batch): void {
    if (entries.get(key) !== entry) return;
    for (const row of [...batch.timeline.rows, ...batch.state, ...batch.gone])
      entry.bytes += 2 * row.content.length + 600;
    stats.bytes += entry.bytes;
    makeRoom();
  }

  return {
    stats,
    async find(spans, { filter, shape, stateField }, now) {
      const wanted: Promise<readonly [number, SharedBatch]>[] = [];
      const missing: { readonly key: string; readonly span: Span }[] = [];
      for (const span of spans) {
        const key = `${span.nid} ${span.after} ${span.upTo} ${shape} ${stateField}`;
        const entry = entries.get(key);
        if (entry === undefined) missing.push({ key, span });
        else wanted.push(entry.batch);
      }
      stats.hits += wanted.length;
      stats.misses += missing.length;
      if (missing.length > 0) {
        const missed = missing.map(({ span }) => span);
        const making = makeBatches(context, missed, { filter, stateField }, now);
        for (const { key, span } of missing) {
          const batch = making.then((made) => [span.nid, made(span.nid)] as const);
          const entry: Entry = { batch, bytes: 0 };
          entries.set(key, entry);
          wanted.push(batch);
          batch.then(
            ([, made]) => weigh(key, entry, made),
            () => drop(key),
          );
        }
        makeRoom();
        stats.entries = entries.size;
      }
      return new Map(await Promise.all(wanted));
    },
  };
}

async function makeBatches(
  context: SyncContext,
  spans: readonly Span[],
  look: { readonly filter: Filter; readonly stateField: SyncPass['stateField'] },
  now: number,
): Promise<(nid: number) => SharedBatch> {
  const rooms = await readPlacedTimelines(context, spans, look);
  const states = await readStateDeltas(context, rooms, look);
  const all = rooms.flatMap(({ span, timeline }) => [...timeline.rows, ...(states.get(span.nid)?.changed ?? [])]);
  const redactions = await readRedactions(context.db, all);
  const form = await readForm(context, look.filter, all);
  const byRoom = new Map(rooms.map((room) => [room.span.nid, room]));
  return (nid) => {
    const room = byRoom.get(nid);
    if (room === undefined) throw new Error(`room ${nid} has no timeline`);
    return shareable(toBatch(room, states.get(nid) ?? unchanged, redactions), form, now);
  };
}

const unchanged: StateDelta = { changed: [], gone: [] };

export function toBatch(
  { timeline, end }: PlacedTimeline,
  { changed: state, gone }: StateDelta,
  redactions: ReadonlyMap<number, ClientEventRow>,
): Batch {
  const isMember = (row: ClientEventRow) => row.type === 'm.room.member' && row.state_key !== null;
  return {
    timeline,
    end,
    state,
    gone,
    redactions,
    senders: new Set(timeline.rows.map((row) => row.sender)),
    hasMembers: [timeline.rows, state, gone].some((rows) => rows.some(isMember)),
    hasName: [timeline.rows, state, gone].some((rows) => rows.some(isNaming)),
  };
}

function shareable(batch: Batch, form: EventForm, now: number): SharedBatch {
  const { senders, timeline, redactions } = batch;
  const style = { redactions, membershipOf: () => 'join' };
  let writtenAt = now;
  let text: string | undefined;
  return {
    ...batch,
    // "When the relevant section has a `limited` value of `true`": otherwise the client gets what relates to it as well.
    hasRelated: timeline.limited && timeline.rows.some((row) => row.relation_kinds !== null),
    timelineFor(reader, bundles) {
      const { userId, ignored } = reader;
      if (bundles.size > 0 || senders.has(userId) || (ignored.size > 0 && !senders.isDisjointFrom(ignored))) {
        return renderEvents(withoutIgnored(timeline.rows, ignored), form, {
          ...style,
          now: reader.now,
          device: reader,
          bundles,
        });
      }
      if (text === undefined || reader.now - writtenAt > maxTextAge) {
        text = renderEvents(timeline.rows, form, { ...style, now: reader.now, device: undefined });
        writtenAt = reader.now;
      }
      return text;
    },
  };
}

/** "State events will still be sent to the client, even if the user is ignored." */
export function withoutIgnored(
  rows: readonly ClientEventRow[],
  ignored: ReadonlySet<string>,
): readonly ClientEventRow[] {
  return ignored.size === 0 ? rows : rows.filter((row) => row.state_key !== null || !ignored.has(row.sender));
}

/** What it takes to write events in the form that a filter asks for. */
export async function readForm(
  { db }: SyncContext,
  filter: Filter,
  rows: readonly ClientEventRow[],
): Promise<EventForm> {
  const pdus =
    filter.eventFormat === 'federation'
      ? await readPdus(
          db,
          rows.map((row) => row.event_nid),
        )
      : undefined;
  return { fields: filter.eventFields, pdus };
}
