import type { Reader } from '@portico/storage';
import { readRoomNids, readSpaceChildren } from '@portico/storage/stores/room-summaries.ts';
import type { RoomSummaries } from '../directory/room-summaries.ts';
import { fullSummary, type RoomSummary } from '../directory/room-summary.ts';
import type { KnowableRooms } from './access.ts';
import { compareChildren, parseSpaceChild, type SpaceChild } from './space-children.ts';

/** A room of a space tree that the person who asks may know of. */
export type HierarchyRoom = {
  readonly roomId: string;
  /** Its summary, without its children. */
  readonly summary: object;
  /** In their order; none if the room is no space. */
  readonly children: readonly SpaceChild[];
};

/** Asks other servers about rooms that this one does not know; of those not to be had it answers nothing. */
export type FindRemoteRooms = (children: readonly SpaceChild[]) => Promise<ReadonlyMap<string, HierarchyRoom>>;

export type WalkDependencies = {
  readonly db: Reader;
  readonly summaries: RoomSummaries;
  readonly findRemote: FindRemoteRooms;
};

export type WalkOptions = {
  readonly knowable: KnowableRooms;
  readonly suggestedOnly: boolean;
  readonly maxDepth: number;
};

/** Of a tree of more rooms than this, the first ones are found. */
const maxRooms = 2000;
const maxChildrenPerRead = 5000;

/**
 * The rooms of a space tree, depth first, each of them once however often it is named. What a space's children are is read
 * for all children of its parent at once.
 */
export async function* walkSpaces(
  dependencies: WalkDependencies,
  root: RoomSummary,
  options: WalkOptions,
): AsyncGenerator<HierarchyRoom> {
  const [first] = await describeRooms(dependencies, [root], options);
  if (first === undefined) return;
  const seen = new Set<string>();
  const stack: { readonly room: HierarchyRoom; readonly depth: number }[] = [{ room: first, depth: 0 }];
  for (let next = stack.pop(); next !== undefined && seen.size < maxRooms; next = stack.pop()) {
    const { room, depth } = next;
    if (seen.has(room.roomId)) continue;
    seen.add(room.roomId);
    yield room;
    if (depth >= options.maxDepth) continue;
    const unseen = room.children.filter((child) => !seen.has(child.roomId)).slice(0, maxRooms - seen.size);
    const rooms = await findChildren(dependencies, unseen, options);
    stack.push(...rooms.toReversed().map((child) => ({ room: child, depth: depth + 1 })));
  }
}

/** Those of some children that exist and may be known of, in the same order. */
async function findChildren(
  dependencies: WalkDependencies,
  children: readonly SpaceChild[],
  options: WalkOptions,
): Promise<readonly HierarchyRoom[]> {
  if (children.length === 0) return [];
  const nids = await readRoomNids(
    dependencies.db,
    children.map((child) => child.roomId),
  );
  const summaries = [...(await dependencies.summaries.of([...nids.values()])).values()];
  const knowable = await options.knowable.among(summaries);
  const local = await describeRooms(
    dependencies,
    summaries.filter((room) => knowable.has(room.roomNid)),
    options,
  );
  const unknown = children.filter((child) => !nids.has(child.roomId));
  const remote = unknown.length === 0 ? undefined : await dependencies.findRemote(unknown);
  const found = new Map([...local.map((room) => [room.roomId, room] as const), ...(remote ?? [])]);
  return children.flatMap((child) => found.get(child.roomId) ?? []);
}

async function describeRooms(
  { db }: WalkDependencies,
  rooms: readonly RoomSummary[],
  { suggestedOnly }: WalkOptions,
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
