import type { Reader } from '@portico/storage';
import { readJoinedRoomsOf } from '@portico/storage/stores/devices/device-keys.ts';
import {
  readChangedLists,
  readMembersOf,
  readMoves,
  readSharing,
  type Move,
} from '@portico/storage/stores/devices/device-keys-sharing.ts';

export type DeviceLists = { readonly changed: readonly string[]; readonly left: readonly string[] };

/** Beyond that many moves, everybody whom the person shares a room with counts as changed. */
const maxMoves = 20_000;

/**
 * > List of users who have updated their device identity or cross-signing keys, or who now share an encrypted room with
 * > the client since the previous sync response.
 *
 * Rooms that are not encrypted count too: they may become so at any time.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#extensions-to-sync}
 */
export async function readDeviceLists(
  reader: Reader,
  viewer: string,
  after: number,
  upTo: number,
): Promise<DeviceLists> {
  const [updated, moves, roomsNow] = await Promise.all([
    readChangedLists(reader, viewer, after, upTo),
    readMoves(reader, viewer, after, maxMoves),
    readJoinedRoomsOf(reader, viewer),
  ]);
  const changed = new Set(updated);
  if (moves.length === maxMoves) {
    for (const user of await readMembersOf(reader, roomsNow)) changed.add(user);
    return { changed: [...changed], left: [] };
  }
  const isMove = ({ membership, previous }: Move) => (membership === 'join') !== (previous === 'join');
  const switches = moves.filter(isMove);
  if (switches.every(({ position }) => position > upTo)) return { changed: [...changed], left: [] };

  const before = placeAt(switches, after);
  const then = placeAt(switches, upTo);
  const joinedNow = new Set(roomsNow);
  const ownRooms = new Set([...roomsNow, ...switches.filter((m) => m.user_id === viewer).map((m) => m.room_nid)]);
  const roomsAt = (at: Places) => [...ownRooms].filter((nid) => at.get(`${nid} ${viewer}`) ?? joinedNow.has(nid));
  const [oldRooms, newRooms] = [new Set(roomsAt(before)), new Set(roomsAt(then))];

  const moved = new Set(switches.filter(({ position }) => position <= upTo).map(placeOf));
  const candidates = new Set(switches.map(({ user_id: user }) => user));
  const turned = [...ownRooms].filter(
    (nid) => oldRooms.has(nid) !== newRooms.has(nid) || moved.has(`${nid} ${viewer}`),
  );
  for (const user of await readMembersOf(reader, turned)) candidates.add(user);
  candidates.delete(viewer);
  // Those who now share a room with the person's other devices, too.
  if (turned.some((nid) => newRooms.has(nid))) changed.add(viewer);
  const sharing = await readSharing(reader, [...candidates], [...ownRooms]);
  const present = new Set(sharing.map(({ room_nid: nid, user_id: user }) => `${nid} ${user}`));

  // Everybody's rooms as they were: those where they are now, and those where they moved since.
  const roomsOf = new Map<string, Set<number>>();
  for (const { room_nid: nid, user_id: user } of [...sharing, ...switches]) {
    const rooms = roomsOf.get(user);
    if (rooms === undefined) roomsOf.set(user, new Set([nid]));
    else rooms.add(nid);
  }
  const shares = (user: string, at: Places, rooms: ReadonlySet<number>): boolean => {
    for (const nid of roomsOf.get(user) ?? []) {
      const place = `${nid} ${user}`;
      if (rooms.has(nid) && (at.get(place) ?? present.has(place))) return true;
    }
    return false;
  };
  /** Whether there is a room that neither went from: else there may have been changes that nobody here was told of. */
  const sharedThroughout = (user: string): boolean =>
    [...(roomsOf.get(user) ?? [])].some(
      (nid) =>
        newRooms.has(nid) &&
        !moved.has(`${nid} ${viewer}`) &&
        !moved.has(`${nid} ${user}`) &&
        (then.get(`${nid} ${user}`) ?? present.has(`${nid} ${user}`)),
    );
  const left: string[] = [];
  for (const user of candidates) {
    const [did, does] = [shares(user, before, oldRooms), shares(user, then, newRooms)];
    if (does && !(did && sharedThroughout(user))) changed.add(user);
    if (did && !does) left.push(user);
  }
  return { changed: [...changed], left };
}

/** Whether somebody was in a room, where a later move tells: by room and person. */
type Places = ReadonlyMap<string, boolean>;

const placeOf = ({ room_nid: nid, user_id: user }: Move): string => `${nid} ${user}`;

function placeAt(moves: readonly Move[], position: number): Places {
  const places = new Map<string, boolean>();
  for (const move of moves) {
    const place = placeOf(move);
    if (move.position > position && !places.has(place)) places.set(place, move.previous === 'join');
  }
  return places;
}
