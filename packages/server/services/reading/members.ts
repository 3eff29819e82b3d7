import { isJsonObject, parseJson } from '@portico/protocol';
import { haveMembershipsChanged, readMemberEvents } from '@portico/storage/stores/rooms/memberships-read.ts';
import {
  findFirstStateRoot,
  findStateRootAt,
  readEvents,
  type ClientEventRow,
} from '@portico/storage/stores/events/timeline.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomAccess } from './access.ts';
import type { ReadingContext, Requester } from './context.ts';
import { withoutErasedProfiles } from './erased-profiles.ts';
import { rawRender } from './render.ts';
import { parsePlace, positionAt } from './tokens.ts';
import { answered } from './visibility.ts';
import { readInTurn } from './whole-rooms.ts';

export type MembersRequest = {
  readonly roomId: string;
  readonly membership: string | undefined;
  readonly notMembership: string | undefined;
  /** The members at that time. */
  readonly at: string | undefined;
};

const memberships: readonly string[] = ['join', 'invite', 'knock', 'leave', 'ban'];

/** {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmembers} */
export async function readMembers(
  context: ReadingContext,
  requester: Requester,
  { roomId, membership, notMembership, at }: MembersRequest,
): Promise<string> {
  const access = await context.access.enter(requester.userId, roomId);
  const wanted = memberships.filter(
    (name) => (membership === undefined || name === membership) && name !== notMembership,
  );
  const place = at === undefined ? undefined : parsePlace(at, 'at');
  const then = await findStateThen(context, access, place);
  const nids = memberNids(context, access, wanted, then);
  return readInTurn(context.wholeRooms, requester.userId, nids, async (batches) => {
    const rows: ClientEventRow[] = [];
    for await (const batch of batches) {
      const members = await readEvents(context.db.long, batch);
      // Whoever is erased has left by now.
      rows.push(...(then === 'now' ? members : await withoutErasedProfiles(context, access.viewer, members)));
    }
    const chosen =
      wanted.length === memberships.length ? rows : rows.filter((row) => wanted.includes(membershipOf(row)));
    return `{"chunk":${await rawRender(
      context,
      requester,
      roomId,
      chosen.map((row) => ({ row })),
    )}}`;
  });
}

/** The state of the room at the time asked about, if its members were others than `now`. */
async function findStateThen(
  { db }: ReadingContext,
  { roomNid, as, viewer }: RoomAccess,
  place: number | undefined,
): Promise<number | 'now' | undefined> {
  const end = Math.min(place ?? Infinity, as === 'departed' ? viewer.joinedUntil : Infinity);
  if (end === Infinity || !(await haveMembershipsChanged(db, roomNid, positionAt(end)))) return 'now';
  // The place before a timeline that has all of the room lies before its first event, where there are no members yet.
  return (await findStateRootAt(db, roomNid, end)) ?? findFirstStateRoot(db, roomNid);
}

async function* memberNids(
  { db, states }: ReadingContext,
  { roomNid }: RoomAccess,
  wanted: readonly string[],
  then: number | 'now' | undefined,
): AsyncGenerator<readonly number[]> {
  if (then === 'now') for (const membership of wanted) yield* readMemberEvents(db.long, roomNid, membership);
  else if (then !== undefined) yield* states.events(await answered(states.root(then)), { only: 'm.room.member' });
}

/** What a member event says of its subject. */
export function membershipOf(row: Pick<ClientEventRow, 'content'>): string {
  const content = parseJson(row.content);
  const membership = isJsonObject(content) ? content['membership'] : undefined;
  return typeof membership === 'string' ? membership : 'leave';
}

/**
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidjoined_members}
 *
 * "The current user must be in the room for it to work": a room that is open to the world hands out the same in
 * `/members`, and clients ask for a preview's members here.
 */
export async function readJoinedMembers(
  context: ReadingContext,
  requester: Requester,
  roomId: string,
): Promise<string> {
  const access = await context.access.find(requester.userId, roomId);
  if (access === undefined || access.end !== Infinity)
    throw new MatrixError('forbidden', { message: 'You are not in this room.' });
  const nids = readMemberEvents(context.db.long, access.roomNid, 'join');
  return readInTurn(context.wholeRooms, requester.userId, nids, async (batches) => {
    const entries: string[] = [];
    for await (const batch of batches) {
      for (const row of await readEvents(context.db.long, batch)) entries.push(joinedMember(row));
    }
    return `{"joined":{${entries.join(',')}}}`;
  });
}

function joinedMember({ state_key: userId, content }: ClientEventRow): string {
  const profile = parseJson(content);
  const fields: string[] = [];
  if (isJsonObject(profile)) {
    const { displayname, avatar_url: avatar } = profile;
    if (typeof displayname === 'string') fields.push(`"display_name":${JSON.stringify(displayname)}`);
    if (typeof avatar === 'string') fields.push(`"avatar_url":${JSON.stringify(avatar)}`);
  }
  return `${JSON.stringify(userId)}:{${fields.join(',')}}`;
}
