import { defaultFilter } from '@portico/protocol/sync-filter/filter.ts';
import type { OnlineRoom } from '../sync/online-index.ts';
import { roomMayHave, userMayHave } from '../sync/stream-reads.ts';
import type { RoomParts } from '../sync/streams.ts';
import type { SyncCore } from '../sync/sync-core.ts';
import { type ExtensionRequest, streamNamed } from './extension-request.ts';
import { isInScope, knownScope, scopeHash } from './extension-scope.ts';
import type { Scope } from './request.ts';

/** By number of rooms that the client has: letters of extensions. */
export type ScopeChanges = {
  /** Those of which it misses something from now on: the room is not shown, or the extension is not for it. */
  readonly missed: ReadonlyMap<number, string>;
  /** Those of which it misses nothing any more. */
  readonly caughtUp: ReadonlyMap<number, string>;
};

export type ScopedParts = {
  readonly global: readonly string[];
  /** By ID. */
  readonly rooms: ReadonlyMap<string, RoomParts>;
  readonly missed: ReadonlySet<number>;
  readonly caughtUp: ReadonlySet<number>;
};

/** What a stream has for the rooms that an extension is for. */
export async function readScoped(
  core: SyncCore,
  name: string,
  letter: string,
  scope: Scope,
  extension: ExtensionRequest,
): Promise<ScopedParts> {
  const { request, user, since: position, upTo, serials, known } = extension;
  const { userId, deviceId } = request;
  const stream = streamNamed(core, name);
  const before = knownScope(known, letter);
  const since = before === undefined ? undefined : position;
  // Of rooms that it was not for, the client may have nothing.
  const isElsewhere = before !== scopeHash(scope);
  const { all, rooms, fresh, returning, outside, missed, caughtUp } = sortRooms(extension, {
    letter,
    scope,
    isElsewhere,
    mayHave: (room) => roomMayHave(stream, room, since),
  });
  const serial = stream.serial && serials.get(stream.serial.letter);
  const isPending = since === undefined || stream.serial?.isPending(userId, serial) === true;
  const mayConcernUser = since === undefined || userMayHave(stream, user, since);
  if (!isPending && rooms.size === 0 && !mayConcernUser) {
    return { global: [], rooms: new Map(), missed, caughtUp };
  }
  const parts = await stream.read({
    reader: core.context.db,
    userId,
    deviceId,
    since,
    upTo,
    serial,
    filter: defaultFilter,
    rooms,
    newRooms: fresh,
    returningRooms: returning,
    allRooms: () => new Map([...outside, ...all]),
    mayConcernUser,
  });
  const byId = new Map<string, RoomParts>();
  for (const [nid, ofRoom] of parts.rooms ?? []) {
    const id = all.get(nid);
    if (id !== undefined) byId.set(id, ofRoom);
    else missed.add(nid);
  }
  return { global: parts.accountData ?? [], rooms: byId, missed, caughtUp };
}

type SortBy = {
  readonly letter: string;
  readonly scope: Scope;
  /** Whether the extension was for other rooms before. */
  readonly isElsewhere: boolean;
  /** Whether the stream may have something for a room that the client has not got. */
  readonly mayHave: (room: OnlineRoom | undefined) => boolean;
};

type SortedRooms = {
  /** Those that the extension is for, and those among them that are to be read. By number: their IDs. */
  readonly all: ReadonlyMap<number, string>;
  readonly rooms: ReadonlyMap<number, string>;
  /** Those of them of which the client has nothing; and had something once. */
  readonly fresh: ReadonlySet<number>;
  readonly returning: ReadonlySet<number>;
  /** Those that the extension is not for. */
  readonly outside: ReadonlyMap<number, string>;
  readonly missed: Set<number>;
  readonly caughtUp: ReadonlySet<number>;
};

function sortRooms(
  { user, wanted, newRooms, sent, hidden }: ExtensionRequest,
  { letter, scope, isElsewhere, mayHave }: SortBy,
): SortedRooms {
  const all = new Map<number, string>();
  const rooms = new Map<number, string>();
  const fresh = new Set<number>();
  const returning = new Set<number>();
  const outside = new Map(hidden);
  const missed = new Set<number>();
  const caughtUp = new Set<number>();
  for (const nid of hidden.keys()) {
    if (isElsewhere || mayHave(user.rooms.get(nid)?.room)) missed.add(nid);
  }
  for (const room of wanted) {
    const { nid, id, membership, entry } = room.room;
    if (membership !== 'join') continue;
    const isNew = isElsewhere || newRooms.has(nid);
    const mayHaveMore = isNew || mayHave(entry?.room);
    if (!isInScope(scope, room)) {
      outside.set(nid, id);
      if (mayHaveMore) missed.add(nid);
      continue;
    }
    all.set(nid, id);
    const isBehind = sent.get(nid)?.behind.includes(letter) === true;
    if (isBehind) caughtUp.add(nid);
    if (isBehind || isNew) {
      fresh.add(nid);
      if (sent.has(nid)) returning.add(nid);
    }
    if (isBehind || mayHaveMore) rooms.set(nid, id);
  }
  return { all, rooms, fresh, returning, outside, missed, caughtUp };
}

export function scopeChanges(
  reads: readonly (readonly [letter: string, read: ScopedParts | undefined])[],
): ScopeChanges {
  return {
    missed: lettersByRoom(reads.map(([letter, read]) => [letter, read?.missed])),
    caughtUp: lettersByRoom(reads.map(([letter, read]) => [letter, read?.caughtUp])),
  };
}

function lettersByRoom(
  sets: readonly (readonly [letter: string, nids: ReadonlySet<number> | undefined])[],
): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const [letter, nids] of sets) for (const nid of nids ?? []) found.set(nid, (found.get(nid) ?? '') + letter);
  return found;
}
