import type { Reader } from '@portico/storage';
import { readRoomsOfHost, readSpaceChildren } from '@portico/storage/stores/directory/room-summaries.ts';
import type { RoomSummaries } from '../directory/room-summaries.ts';
import { fullSummary, type RoomSummary, type RoomSummaryFields } from '../directory/room-summary.ts';
import type { KnowableRooms, KnowableRoomsElsewhere } from './access.ts';
import type { RemoteQuestion, RemoteRoom, RemoteSpaces } from './remote-spaces.ts';
import { compareChildren, parseSpaceChild, type SpaceChild } from './space-children.ts';

/** A room of a space tree that the person who asks may know of. */
export type HierarchyRoom = {
  readonly roomId: string;
  /** Its summary, without its children. */
  readonly summary: RoomSummaryFields;
  /** In their order; none if the room is no space. */
  readonly children: readonly SpaceChild[];
};

export type WalkDependencies = {
  readonly db: Reader;
  readonly summaries: RoomSummaries;
  readonly remote: RemoteSpaces;
  readonly serverName: string;
};

export type WalkOptions = {
  readonly knowable: KnowableRooms & KnowableRoomsElsewhere;
  readonly suggestedOnly: boolean;
  readonly maxDepth: number;
  /** Of a tree of more rooms than this, the first ones are found. */
  readonly maxRooms?: number;
};

const usualMaxRooms = 2000;
const maxChildrenPerRead = 5000;
/** Rooms of one tree about which other servers are asked. */
const maxRemote = 200;

/**
 * The rooms of a space tree, depth first, each of them once however often it is named. What a space's children are is read
 * for all children of its parent at once.
 */
export async function* walkSpaces(
  dependencies: WalkDependencies,
  first: HierarchyRoom,
  options: WalkOptions,
): AsyncGenerator<HierarchyRoom> {
  const { maxRooms = usualMaxRooms } = options;
  let remoteLeft = maxRemote;
  const seen = new Set<string>();
  const stack: { readonly room: HierarchyRoom; readonly depth: number }[] = [{ room: first, depth: 0 }];
  for (let next = stack.pop(); next !== undefined && seen.size < maxRooms; next = stack.pop()) {
    const { room, depth } = next;
    if (seen.has(room.roomId)) continue;
    seen.add(room.roomId);
    yield room;
    if (depth >= options.maxDepth) continue;
    const unseen = room.children.filter((child) => !seen.has(child.roomId)).slice(0, maxRooms - seen.size);
    const { rooms, asked } = await findChildren(dependencies, unseen, options, remoteLeft);
    remoteLeft -= asked;
    stack.push(...rooms.toReversed().map((child) => ({ room: child, depth: depth + 1 })));
  }
}

/** A room that this server is in, to begin with; or nothing, if the person may not know of it. */
export async function findLocalRoom(
  dependencies: WalkDependencies,
  roomId: string,
  options: WalkOptions,
): Promise<HierarchyRoom | undefined> {
  return (await findLocal(dependencies, [roomId], options)).rooms.get(roomId);
}

/** A room that this server is not in. */
export async function findRemoteRoom(
  { remote }: WalkDependencies,
  question: RemoteQuestion,
  { knowable, suggestedOnly }: Pick<WalkOptions, 'knowable' | 'suggestedOnly'>,
): Promise<HierarchyRoom | undefined> {
  const found = await remote.describe([question]);
  const visible = await knowable.elsewhere([...found.values()]);
  const room = visible.has(question.roomId) ? found.get(question.roomId) : undefined;
  return room && toHierarchyRoom(room, suggestedOnly);
}

/** Those of some children that exist and may be known of, in the same order. */
async function findChildren(
  dependencies: WalkDependencies,
  children: readonly SpaceChild[],
  options: WalkOptions,
  mostAsked: number,
): Promise<{ readonly rooms: readonly HierarchyRoom[]; readonly asked: number }> {
  if (children.length === 0) return { rooms: [], asked: 0 };
  const ids = children.map((child) => child.roomId);
  const local = await findLocal(dependencies, ids, options);
  const away = children.filter((child) => !local.here.has(child.roomId)).slice(0, mostAsked);
  const found = away.length === 0 ? new Map<string, RemoteRoom>() : await dependencies.remote.describe(away);
  const visible = await options.knowable.elsewhere([...found.values()]);
  const rooms = children.flatMap(({ roomId }): HierarchyRoom[] => {
    const own = local.rooms.get(roomId);
    if (own !== undefined) return [own];
    const room = visible.has(roomId) ? found.get(roomId) : undefined;
    return room === undefined ? [] : [toHierarchyRoom(room, options.suggestedOnly)];
  });
  return { rooms, asked: away.length };
}

function toHierarchyRoom({ roomId, summary, children = [] }: RemoteRoom, suggestedOnly: boolean): HierarchyRoom {
  return { roomId, summary, children: children.filter((child) => child.suggested || !suggestedOnly) };
}

/** Those of some rooms that this server is in; and of them those that may be known of. */
async function findLocal(
  dependencies: WalkDependencies,
  roomIds: readonly string[],
  options: WalkOptions,
): Promise<{ readonly here: ReadonlySet<string>; readonly rooms: ReadonlyMap<string, HierarchyRoom> }> {
  const { db, summaries, serverName } = dependencies;
  const found = [...(await summaries.of(await readRoomsOfHost(db, roomIds, serverName))).values()];
  const knowable = await options.knowable.among(found);
  const visible = found.filter((room) => knowable.has(room.roomNid));
  const rooms = await describeRooms(dependencies, visible, options);
  return {
    here: new Set(found.map((room) => room.roomId)),
    rooms: new Map(rooms.map((room) => [room.roomId, room])),
  };
}

export function renderRoom({ summary, children }: HierarchyRoom): string {
  return `${JSON.stringify(summary).slice(0, -1)},"children_state":[${children.map((child) => child.json).join(',')}]}`;
}

/** With their children. */
export async function describeRooms(
  { db }: Pick<WalkDependencies, 'db'>,
  rooms: readonly RoomSummary[],
  { suggestedOnly }: Pick<WalkOptions, 'suggestedOnly'>,
): Promise<readonly HierarchyRoom[]> {
  const spaces = rooms.filter((room) => room.roomType === 'm.space').map((room) => room.roomNid);
  const children = new Map<number, SpaceChild[]>(spaces.map((roomNid) => [roomNid, []]));
  for (const row of await readSpaceChildren(db, spaces, maxChildrenPerRead)) {
    const child = parseSpaceChild(row);
    if (child !== undefined && (child.suggested || !suggestedOnly)) children.get(row.room_nid)?.push(child);
  }
  return rooms.map((room) => ({
    roomId: room.roomId,
    summary: fullSummary(room),
    children: (children.get(room.roomNid) ?? []).toSorted(compareChildren),
  }));
}
