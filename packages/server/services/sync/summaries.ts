import {
  readFirstMembers,
  readRoomCounts,
  type MembershipRow,
} from '@portico/storage/stores/rooms/memberships-read.ts';
import { readNamedRooms } from './named-rooms.ts';
import { readerFor, type SyncContext } from './pass.ts';

export type Summary = {
  /** "Required if the room's `m.room.name` or `m.room.canonical_alias` state events are unset or empty." */
  readonly heroes: readonly string[] | undefined;
  readonly joined: number;
  readonly invited: number;
};

const heroCount = 5;

/**
 * > This should be the first 5 members of the room, ordered by stream ordering, which are joined or invited. […] When no
 * > joined or invited members are available, this should consist of the banned and left users.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync_response-200_roomsummary}
 */
export async function readSummaries(
  context: SyncContext,
  roomNids: readonly number[],
  userId: string,
): Promise<ReadonlyMap<number, Summary>> {
  const reader = readerFor(context, roomNids.length);
  const counts = await readRoomCounts(reader, roomNids);
  const named = await readNamedRooms(reader, roomNids);
  const heroes = await readHeroes(
    context,
    roomNids.filter((nid) => !named.has(nid)),
    userId,
  );
  return new Map(
    counts.map(({ room_nid: nid, joined_count: joined, invited_count: invited }) => [
      nid,
      { heroes: heroes.get(nid), joined, invited },
    ]),
  );
}

/** The heroes of rooms. */
export async function readHeroes(
  context: SyncContext,
  roomNids: readonly number[],
  userId: string,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const reader = readerFor(context, roomNids.length);
  // One more than wanted, since the user may be among them.
  const limit = heroCount + 1;
  const heroes = namesByRoom(await readFirstMembers(reader, roomNids, ['join', 'invite'], limit), userId);
  const deserted = roomNids.filter((nid) => !heroes.has(nid));
  const departed = namesByRoom(await readFirstMembers(reader, deserted, ['leave', 'ban'], limit), userId);
  return new Map(roomNids.map((nid) => [nid, (heroes.get(nid) ?? departed.get(nid) ?? []).slice(0, heroCount)]));
}

function namesByRoom(members: readonly MembershipRow[], userId: string): Map<number, string[]> {
  const names = new Map<number, string[]>();
  for (const { room_nid: nid, user_id: name } of members) {
    if (name === userId) continue;
    const ofRoom = names.get(nid);
    if (ofRoom === undefined) names.set(nid, [name]);
    else ofRoom.push(name);
  }
  return names;
}

export function renderSummary({ heroes, joined, invited }: Summary): string {
  const shown = heroes === undefined ? '' : `"m.heroes":${JSON.stringify(heroes)},`;
  return `{${shown}"m.joined_member_count":${joined},"m.invited_member_count":${invited}}`;
}
