import { isJsonObject, parseJson } from '@portico/protocol';
import { readNeighbours } from '@portico/storage/stores/search/search-context.ts';
import { readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import type { ReadingContext } from '../reading/context.ts';
import { withoutErasedProfiles } from '../reading/erased-profiles.ts';
import { formatPlace } from '../reading/tokens.ts';
import { answered, type RoomViewer } from '../reading/visibility.ts';
import type { FoundEvent } from './matches.ts';
import type { SearchRequest } from './search-request.ts';

/** What happened around an event that was found. */
export type FoundContext = {
  readonly before: readonly ClientEventRow[];
  readonly after: readonly ClientEventRow[];
  readonly start: string;
  readonly end: string;
  /** JSON text. */
  readonly profiles: string | undefined;
};

/** The contexts of all that was found, in its order: as many queries as for one of them. */
export async function readFoundContexts(
  context: ReadingContext,
  found: readonly FoundEvent[],
  wanted: NonNullable<SearchRequest['context']>,
  ignored: ReadonlySet<string>,
): Promise<readonly FoundContext[]> {
  const places = found.map(({ row }) => ({ roomNid: row.room_nid, order: row.room_order ?? 0 }));
  const neighbours = await readNeighbours(context.db.long, places, wanted);
  const rows = await readEvents(context.db.long, [...new Set(neighbours.map((row) => row.event_nid))]);
  const byNid = new Map(rows.map((row) => [row.event_nid, row]));
  const shown = await findShown(context, found, rows, ignored);
  const contexts = Map.groupBy(neighbours, (row) => row.place);
  const parts = found.map(({ row: event, room }, place) => {
    const around = (contexts.get(place) ?? []).flatMap(({ event_nid: nid }) => byNid.get(nid) ?? []);
    const order = event.room_order ?? 0;
    const seen = around.filter((row) => shown.has(row.event_nid));
    const before = seen.filter((row) => (row.room_order ?? 0) < order).reverse();
    const after = seen.filter((row) => (row.room_order ?? 0) > order);
    return { event, viewer: room.viewer, before, after };
  });
  const profiles = wanted.withProfiles ? await readProfiles(context, parts) : undefined;
  return parts.map(({ event, before, after }, place) => ({
    before,
    after,
    start: formatPlace((before.at(-1)?.room_order ?? event.room_order ?? 0) - 1),
    end: formatPlace(after.at(-1)?.room_order ?? event.room_order ?? 0),
    profiles: profiles?.[place],
  }));
}

async function findShown(
  { visibility }: ReadingContext,
  found: readonly FoundEvent[],
  rows: readonly ClientEventRow[],
  ignored: ReadonlySet<string>,
): Promise<ReadonlySet<number>> {
  const rooms = new Map(found.map(({ room }) => [room.roomNid, room]));
  const shown = new Set<number>();
  for (const [roomNid, ofRoom] of Map.groupBy(rows, (row) => row.room_nid)) {
    const room = rooms.get(roomNid);
    if (room === undefined) continue;
    const sights = await visibility.judge(room.viewer, ofRoom);
    for (const row of ofRoom) {
      const isIgnored = row.state_key === null && ignored.has(row.sender);
      const isInSight = sights.get(row.event_nid)?.answer === 'yes' && (row.room_order ?? Infinity) <= room.end;
      if (isInSight && !isIgnored) shown.add(row.event_nid);
    }
  }
  return shown;
}

type Part = {
  readonly event: ClientEventRow;
  readonly viewer: RoomViewer;
  readonly before: readonly ClientEventRow[];
  readonly after: readonly ClientEventRow[];
};

/** "The historic profile information of the users that sent the events returned." */
async function readProfiles(context: ReadingContext, parts: readonly Part[]): Promise<readonly string[]> {
  const { db, states } = context;
  const members: (readonly (number | undefined)[])[] = [];
  const senders = parts.map(({ event, before, after }) => [
    ...new Set([event, ...before, ...after].map((row) => row.sender)),
  ]);
  for (const [place, { event }] of parts.entries()) {
    const keys = (senders[place] ?? []).map((sender) => ['m.room.member', sender] as const);
    const root = event.state_before === null ? undefined : await answered(states.root(event.state_before));
    members.push(root === undefined ? [] : await answered(states.getMany(root, keys)));
  }
  const nids = new Set(members.flat().filter((nid) => nid !== undefined));
  const rows = await readEvents(db.long, [...nids]);
  const shown = new Map<number, string>();
  const viewers = new Map(parts.map(({ event, viewer }) => [event.room_nid, viewer]));
  for (const [roomNid, viewer] of viewers) {
    const ofRoom = rows.filter((row) => row.room_nid === roomNid);
    for (const row of await withoutErasedProfiles(context, viewer, ofRoom)) shown.set(row.event_nid, row.content);
  }
  return parts.map((_, place) => {
    const profiles = (senders[place] ?? []).map((sender, index) => {
      const nid = members[place]?.[index];
      const content = nid === undefined ? undefined : shown.get(nid);
      return [sender, content === undefined ? {} : profileIn(content)] as const;
    });
    return JSON.stringify(Object.fromEntries(profiles));
  });
}

function profileIn(content: string): object {
  const member = parseJson(content);
  if (!isJsonObject(member)) return {};
  const { displayname, avatar_url: avatarUrl } = member;
  return {
    ...(typeof displayname === 'string' && { displayname }),
    ...(typeof avatarUrl === 'string' && { avatar_url: avatarUrl }),
  };
}
