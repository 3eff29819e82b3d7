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
import { rawRender } from './render.ts';
import { parsePlace, positionAt } from './tokens.ts';
import { answered } from './visibility.ts';

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
  const rows: ClientEventRow[] = [];
  for await (const nids of memberNids(context, access, wanted, place)) {
    rows.push(...(await readEvents(context.db.long, nids)));
  }
  const chosen = wanted.length === memberships.length ? rows : rows.filter((row) => wanted.includes(membershipOf(row)));
  return `{"chunk":${await rawRender(
    context,
    requester,
    roomId,
    chosen.map((row) => ({ row })),
  )}}`;
}

async function* memberNids(
  context: ReadingContext,
  access: RoomAccess,
  wanted: readonly string[],
  place: number | undefined,
): AsyncGenerator<readonly number[]> {
  const end = Math.min(place ?? Infinity, access.as === 'departed' ? access.viewer.joinedUntil : Infinity);
  if (end === Infinity || !(await haveMembershipsChanged(context.db, access.roomNid, positionAt(end)))) {
    for (const membership of wanted) yield* readMemberEvents(context.db.long, access.roomNid, membership);
    return;
  }
  // The place before a timeline that has all of the room lies before its first event, where there are no members yet.
  const rootId =
    (await findStateRootAt(context.db, access.roomNid, end)) ?? (await findFirstStateRoot(context.db, access.roomNid));
  if (rootId === undefined) return;
  yield* context.states.events(await answered(context.states.root(rootId)), { only: 'm.room.member' });
}

function membershipOf(row: ClientEventRow): string {
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
  const entries: string[] = [];
  for await (const nids of readMemberEvents(context.db.long, access.roomNid, 'join')) {
    for (const row of await readEvents(context.db.long, nids)) entries.push(joinedMember(row));
  }
  return `{"joined":{${entries.join(',')}}}`;
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
