import { MatrixError } from '../../errors/matrix-error.ts';
import { comparePlaces, fold, indexOfPlace, type ListedRoom, type Place } from './listed-room.ts';

export type DirectoryQuery = {
  readonly server?: string | undefined;
  readonly limit?: number | undefined;
  readonly since?: string | undefined;
  readonly searchTerm?: string | undefined;
  /** Types of rooms; `null` for those that have none. */
  readonly roomTypes?: readonly (string | null)[] | undefined;
  /** A network of an application service, instead of this server's own directory. */
  readonly thirdPartyInstance?: string | undefined;
  readonly allNetworks?: boolean | undefined;
};

const defaultLimit = 100;
const maxLimit = 500;

/** A page of the published rooms, as JSON text. */
export function listPage(rooms: readonly ListedRoom[], query: DirectoryQuery): string {
  const limit = limitOf(query.limit);
  const { from, backwards } = query.since === undefined ? start : parseToken(query.since);
  const test = testOf(query);
  const found = backwards ? pageBefore(rooms, from, limit, test) : pageFrom(rooms, from, limit, test);
  const { page } = found;
  const first = page[0];
  const last = page.at(-1);
  let text = `{"chunk":[${page.map((room) => room.json).join(',')}]`;
  if (found.hasMore && last !== undefined) text += `,"next_batch":${token('n', last)}`;
  if (found.hasEarlier && first !== undefined) text += `,"prev_batch":${token('p', first)}`;
  return `${text},"total_room_count_estimate":${rooms.length}}`;
}

type Test = ((room: ListedRoom) => boolean) | undefined;
type Page = { readonly page: readonly ListedRoom[]; readonly hasMore: boolean; readonly hasEarlier: boolean };

/** The rooms behind a place. */
function pageFrom(rooms: readonly ListedRoom[], from: Place | undefined, limit: number, test: Test): Page {
  let index = from === undefined ? 0 : indexOfPlace(rooms, from);
  const room = rooms[index];
  if (from !== undefined && room !== undefined && comparePlaces(room, from) === 0) index += 1;
  const hasEarlier = index > 0;
  const page: ListedRoom[] = [];
  for (; index < rooms.length; index++) {
    const next = rooms[index];
    if (next === undefined || test?.(next) === false) continue;
    if (page.length === limit) return { page, hasMore: true, hasEarlier };
    page.push(next);
  }
  return { page, hasMore: false, hasEarlier };
}

/** The last rooms before a place, in the directory's order. */
function pageBefore(rooms: readonly ListedRoom[], from: Place | undefined, limit: number, test: Test): Page {
  const end = from === undefined ? rooms.length : indexOfPlace(rooms, from);
  const page: ListedRoom[] = [];
  for (let index = end - 1; index >= 0; index--) {
    const room = rooms[index];
    if (room === undefined || test?.(room) === false) continue;
    if (page.length === limit) return { page: page.toReversed(), hasMore: true, hasEarlier: true };
    page.push(room);
  }
  return { page: page.toReversed(), hasMore: end < rooms.length, hasEarlier: false };
}

function testOf({ searchTerm = '', roomTypes }: DirectoryQuery): Test {
  const words = fold(searchTerm).split(/\s+/u).filter(Boolean);
  if (words.length === 0 && roomTypes === undefined) return undefined;
  return (room) =>
    (roomTypes === undefined || roomTypes.includes(room.roomType ?? null)) &&
    words.every((word) => room.text.includes(word));
}

function limitOf(limit = defaultLimit): number {
  if (limit < 0) throw new MatrixError('request.invalid-param', { message: 'limit is negative.' });
  // Clients in use say 0 for as many as there are.
  return limit === 0 ? maxLimit : Math.min(limit, maxLimit);
}

/** `n`: the rooms behind a place; `p`: those before it. */
const tokenFormat = /^([np])([0-9]{1,15})_(.{1,255})$/su;
const start = { from: undefined, backwards: false };

function token(direction: 'n' | 'p', { joinedMembers, roomId }: Place): string {
  return JSON.stringify(`${direction}${joinedMembers}_${roomId}`);
}

function parseToken(text: string): { readonly from: Place; readonly backwards: boolean } {
  const [, direction, joinedMembers, roomId] = tokenFormat.exec(text) ?? [];
  if (roomId === undefined) {
    throw new MatrixError('request.invalid-param', { message: 'since is not a token of this server.' });
  }
  return { from: { joinedMembers: Number(joinedMembers), roomId }, backwards: direction === 'p' };
}
