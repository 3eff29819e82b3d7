import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findPublished } from '@portico/storage/stores/directory/room-directory.ts';
import { readStateContents, summaryStateTypes } from '@portico/storage/stores/directory/room-summaries.ts';
import {
  countRooms,
  findListedRoom,
  listJoined,
  listRooms,
  listRoomsBySize,
  type ListedRoomRow,
  readRoomFigures,
} from '@portico/storage/stores/rooms/room-list.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { inChunks, type RoomOrder, sortRooms, type SortedOrder } from './room-orders.ts';

export type ListedRoom = {
  readonly roomId: string;
  readonly version: string;
  readonly joined: number;
  readonly joinedHere: number;
  readonly creator: string | null;
  readonly isPublished: boolean;
  /** A thousand at most. */
  readonly stateEvents: number;
  /** A field of a state event with an empty state key, where it is a text. */
  text(type: string, field: string): string | null;
  readonly isFederated: boolean;
};

export type RoomPage = {
  readonly rooms: readonly ListedRoom[];
  /** How many were left out. */
  readonly offset: number;
  readonly next: number | undefined;
  /** Ten thousand at most, or those that match among the rooms that were looked at. */
  readonly total: number;
};

type RoomFilter = {
  /** Part of the name, the address or the room ID, in capitals or not. */
  readonly search: string;
  /** Whether the directory has them, and whether nobody is in them; `undefined` does not matter. */
  readonly isPublic: boolean | undefined;
  readonly isEmpty: boolean | undefined;
};

export type RoomQuery = RoomFilter & {
  /** How many to leave out, or what the page before said is next. */
  readonly from: number;
  readonly limit: number;
  /** The one in which the server came to know them where it is `undefined`, as it is for names in a server with too many rooms. */
  readonly order: RoomOrder | undefined;
  readonly isDescending: boolean;
};

/** What administrators are told of rooms, which is nothing of what was said in them. */
export interface RoomList {
  /**
   * A search looks at a number of rooms and then says where to go on, whatever it has found. By
   * `joined_members` there are the first ten thousand; by something else all rooms are sorted, if they are no more than that: throws
   * `request.invalid-param` elsewhere.
   */
  list(query: RoomQuery): Promise<RoomPage>;
  /** Throws `room.not-found`. */
  get(roomId: string): Promise<ListedRoom>;
  /** Members by user ID, after one of them or without the first so many. Throws `room.not-found`. */
  listMembers(
    roomId: string,
    page: { readonly from: string; readonly limit: number },
  ): Promise<{ readonly members: readonly string[]; readonly total: number; readonly next: string | undefined }>;
}

/** `db` is for reads that take long. */
type Dependencies = { readonly db: Reader; readonly serverName: string };

const mostSearched = 2000;
const mostLeftOut = 10_000;
const mostCounted = 10_000;
const mostSorted = 10_000;
const maxPage = 1000;
const maxMembers = 10_000;
/** Numbers from this one on name the room after which to go on: tools expect a number, and count with it what they left out. */
const places = 2 ** 40;
const searched = ['m.room.name', 'm.room.canonical_alias'];

type Contents = ReadonlyMap<string, JsonObject>;

export function createRoomList({ db, serverName }: Dependencies): RoomList {
  async function readContents(rows: readonly ListedRoomRow[], types: readonly string[]) {
    const byRoom = new Map<number, Map<string, JsonObject>>(rows.map((row) => [row.room_nid, new Map()]));
    const nids = rows.map((row) => row.room_nid);
    for (const { room_nid: nid, type, content } of await readStateContents(db, nids, types)) {
      const parsed = parseJson(content);
      if (isJsonObject(parsed)) byRoom.get(nid)?.set(type, parsed);
    }
    return byRoom;
  }

  async function describe(rows: readonly ListedRoomRow[]): Promise<ListedRoom[]> {
    const nids = rows.map((row) => row.room_nid);
    const [contents, figures, published] = await Promise.all([
      readContents(rows, summaryStateTypes),
      readRoomFigures(db, nids, serverName),
      findPublished(db, nids),
    ]);
    const byNid = new Map(figures.map((row) => [row.room_nid, row]));
    return rows.map((row) => {
      const nid = row.room_nid;
      const state: Contents = contents.get(nid) ?? new Map();
      const figuresOf = byNid.get(nid);
      return {
        roomId: row.room_id,
        version: row.room_version,
        joined: row.joined_count,
        joinedHere: figuresOf?.joined_local ?? 0,
        creator: figuresOf?.creator ?? null,
        stateEvents: figuresOf?.state_events ?? 0,
        isPublished: published.has(nid),
        isFederated: state.get('m.room.create')?.['m.federate'] !== false,
        text: (type, field) => textIn(state.get(type), field),
      };
    });
  }

  async function search(rows: readonly ListedRoomRow[], text: string): Promise<ListedRoomRow[]> {
    const wanted = text.toLowerCase();
    const found: ListedRoomRow[] = [];
    await inChunks(rows, async (some) => {
      const contents = await readContents(some, searched);
      const matching = some.filter((row) => {
        const state = contents.get(row.room_nid);
        const name = textIn(state?.get('m.room.name'), 'name') ?? '';
        const alias = textIn(state?.get('m.room.canonical_alias'), 'alias') ?? '';
        return [row.room_id, name, alias].some((each) => each.toLowerCase().includes(wanted));
      });
      found.push(...matching);
    });
    return found;
  }

  async function narrow(rows: readonly ListedRoomRow[], { search: text, isPublic, isEmpty }: RoomFilter) {
    const ofSize = rows.filter((row) => isEmpty === undefined || isEmpty === (row.joined_count === 0));
    const found = text === '' ? ofSize : await search(ofSize, text);
    if (isPublic === undefined) return found;
    const nids = found.map((row) => row.room_nid);
    const published = await findPublished(db, nids);
    return found.filter((row) => published.has(row.room_nid) === isPublic);
  }

  async function listAsKnown({ from, limit, isDescending, ...filter }: RoomQuery): Promise<RoomPage> {
    const isPlace = from >= places;
    if (!isPlace) checkOffset(from);
    const [offset, after] = isPlace ? [0, from - places] : [from, undefined];
    const isNarrowed = filter.search !== '' || filter.isPublic !== undefined || filter.isEmpty !== undefined;
    const examined = isNarrowed ? mostSearched : offset + limit + 1;
    const rows = await listRooms(db, { after, isDescending, limit: examined });
    const matching = (isNarrowed ? await narrow(rows, filter) : rows).slice(offset);
    const page = matching.slice(0, limit);
    const hasMore = matching.length > limit;
    const last = hasMore ? page.at(-1) : rows.length === examined ? rows.at(-1) : undefined;
    const counted = isNarrowed ? 0 : await countRooms(db, mostCounted);
    return {
      rooms: await describe(page),
      offset,
      next: last && last.room_nid + places,
      total: Math.max(counted, offset + (isNarrowed ? matching.length : page.length)),
    };
  }

  /** Throws where they are too many. */
  async function sortAll(order: SortedOrder, isDescending: boolean, filter: RoomFilter): Promise<ListedRoomRow[]> {
    if ((await countRooms(db, mostSorted + 1)) > mostSorted) {
      throw new MatrixError('request.invalid-param', {
        message: `With more than ${mostSorted} rooms order_by is name or joined_members.`,
      });
    }
    const all = await listRooms(db, { after: undefined, isDescending: false, limit: mostSorted });
    return sortRooms(db, await narrow(all, filter), { order, isDescending, serverName });
  }

  async function listSorted(query: RoomQuery, order: RoomOrder): Promise<RoomPage> {
    const { from: offset, limit, isDescending, ...filter } = query;
    // What tools ask for by themselves.
    if (order === 'name' && (await countRooms(db, mostSorted + 1)) > mostSorted) return listAsKnown(query);
    checkOffset(offset);
    const sorted =
      order === 'joined_members'
        ? await narrow(await listRoomsBySize(db, isDescending, mostSorted), filter)
        : await sortAll(order, isDescending, filter);
    const end = offset + limit;
    return {
      rooms: await describe(sorted.slice(offset, end)),
      offset,
      next: limit > 0 && end < sorted.length ? end : undefined,
      total: sorted.length,
    };
  }

  async function require(roomId: string): Promise<ListedRoomRow> {
    const row = await findListedRoom(db, roomId);
    if (row === undefined) throw new MatrixError('room.not-found');
    return row;
  }

  return {
    async list(asked) {
      const query = { ...asked, limit: Math.min(asked.limit, maxPage) };
      return query.order === undefined ? listAsKnown(query) : listSorted(query, query.order);
    },
    async get(roomId) {
      const [room] = await describe([await require(roomId)]);
      if (room === undefined) throw new MatrixError('room.not-found');
      return room;
    },
    async listMembers(roomId, { from, limit: wanted }) {
      // User IDs begin with `@`, which comes after every digit.
      const offset = /^\d+$/.test(from) ? Number(from) : 0;
      checkOffset(offset);
      const { room_nid: roomNid, joined_count: total } = await require(roomId);
      const limit = Math.min(wanted, maxMembers);
      const found = await listJoined(db, roomNid, { after: from, offset, limit: limit + 1 });
      const members = found.slice(0, limit);
      return { members, total, next: found.length > limit ? members.at(-1) : undefined };
    },
  };
}

function checkOffset(offset: number): void {
  if (offset <= mostLeftOut) return;
  throw new MatrixError('request.invalid-param', {
    message: `from is what the page before said, or at most ${mostLeftOut}.`,
  });
}

function textIn(content: JsonObject | undefined, field: string): string | null {
  const value = content?.[field];
  return typeof value === 'string' ? value : null;
}
