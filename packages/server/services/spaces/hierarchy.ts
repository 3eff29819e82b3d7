import { parseJson, serverNameOf } from '@portico/protocol';
import { readRoomsOfHost } from '@portico/storage/stores/directory/room-summaries.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomParts } from '../rooms/room-parts.ts';
import { knowableRooms } from './access.ts';
import {
  findLocalRoom,
  findRemoteRoom,
  type HierarchyRoom,
  renderRoom,
  type WalkDependencies,
  type WalkOptions,
  walkSpaces,
} from './walk.ts';

export type HierarchyQuery = {
  readonly roomId: string;
  readonly suggestedOnly: boolean;
  readonly maxDepth: number | undefined;
  readonly limit: number | undefined;
  readonly from: string | undefined;
};

export type HierarchyDependencies = WalkDependencies & Pick<RoomParts, 'locate'>;

const defaultLimit = 50;
const maxLimit = 100;
const deepest = 20;

/**
 * A page of a space's tree, as JSON text.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy}
 */
export async function readHierarchy(
  dependencies: HierarchyDependencies,
  userId: string,
  query: HierarchyQuery,
): Promise<string> {
  const limit = Math.min(query.limit ?? defaultLimit, maxLimit);
  const maxDepth = Math.min(query.maxDepth ?? deepest, deepest);
  if (limit < 1) throw new MatrixError('request.invalid-param', { message: 'limit must be greater than zero.' });
  if (maxDepth < 0) throw new MatrixError('request.invalid-param', { message: 'max_depth is negative.' });
  const token = query.from === undefined ? undefined : parseToken(query.from);
  const settings = { suggestedOnly: query.suggestedOnly, maxDepth };
  if (token !== undefined && (token.maxDepth !== maxDepth || token.suggestedOnly !== settings.suggestedOnly)) {
    throw new MatrixError('request.invalid-param', {
      message: 'suggested_only and max_depth cannot change from page to page.',
    });
  }
  const options = { ...settings, knowable: knowableRooms(dependencies.db, userId) };
  const root = await findRoot(dependencies, query.roomId, options);
  if (root === undefined) throw new MatrixError('forbidden', { message: 'You may not see this space.' });

  const rooms: HierarchyRoom[] = [];
  let first = token === undefined ? 0 : undefined;
  for await (const room of walkSpaces(dependencies, root, options)) {
    rooms.push(room);
    if (first === undefined && room.roomId === token?.last) first = rooms.length;
    if (first !== undefined && rooms.length > first + limit) break;
  }
  // The room that the last page ended with is gone: go on where it was.
  const start = first ?? token?.count ?? 0;
  const page = rooms.slice(start, start + limit);
  const last = page.at(-1);
  const hasMore = last !== undefined && rooms.length > start + limit;
  const next = hasMore ? formatToken({ ...settings, last: last.roomId, count: start + limit }) : undefined;
  return `{"rooms":[${page.map(renderRoom).join(',')}]${next === undefined ? '' : `,"next_batch":"${next}"`}}`;
}

async function findRoot(
  dependencies: HierarchyDependencies,
  roomId: string,
  options: WalkOptions,
): Promise<HierarchyRoom | undefined> {
  const here = await readRoomsOfHost(dependencies.db, [roomId], dependencies.serverName);
  if (here.length > 0) return findLocalRoom(dependencies, roomId, options);
  const host = serverNameOf(roomId);
  return host === undefined ? undefined : findRemoteRoom(dependencies, { roomId, via: [host] }, options);
}

/** After which room the next page begins; and after how many, should that room be gone by then. */
type Token = {
  readonly suggestedOnly: boolean;
  readonly maxDepth: number;
  readonly last: string;
  readonly count: number;
};

function formatToken({ suggestedOnly, maxDepth, last, count }: Token): string {
  return Buffer.from(JSON.stringify([suggestedOnly, maxDepth, last, count])).toString('base64url');
}

function parseToken(text: string): Token {
  const parsed = parseArray(Buffer.from(text, 'base64url').toString());
  const [suggestedOnly, maxDepth, last, count] = parsed;
  if (
    typeof suggestedOnly === 'boolean' &&
    typeof maxDepth === 'number' &&
    typeof last === 'string' &&
    typeof count === 'number' &&
    Number.isSafeInteger(count) &&
    count >= 0
  ) {
    return { suggestedOnly, maxDepth, last, count };
  }
  throw new MatrixError('request.invalid-param', { message: 'from is not a token of this server.' });
}

function parseArray(text: string): readonly unknown[] {
  try {
    const list = parseJson(text);
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}
