import { findRoomVersion, type JsonObject, type RoomVersionRules } from '@portico/protocol';
import { addAlias, addPublishedRoom } from '@portico/storage/stores/directory/room-directory-write.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ErrorReason } from '../../errors/table.ts';
import { checkFirstCanonicalAlias } from './aliases/canonical-alias.ts';
import { type Invitations, invitationsElsewhere, inviteeOf, withoutBlocked } from './creation/invitations.ts';
import { initialEvents, invitationContent, type RoomRequest } from './creation/initial-events.ts';
import { type Draft, memberDraft } from './draft.ts';
import type { NewRooms } from './new-rooms.ts';

export type CreateRoomRequest = RoomRequest & {
  readonly room_alias_name?: string;
  readonly room_version?: string;
};

type Dependencies = {
  readonly newRooms: NewRooms;
  readonly serverName: string;
  readonly defaultVersion: string;
  readonly mayPublish: boolean;
  readonly profileOf: (userId: string) => Promise<JsonObject>;
  /** Who is invited by way of their own server, once the room is there. */
  readonly isElsewhere: (userId: string) => boolean;
  readonly refuseBlocked: Invitations['refuseBlocked'];
  readonly checkAlias: (alias: string) => void;
};

const maxAliasBytes = 255;
const maxInvitations = 100;
/** All of them are one commit, which others wait for. */
const maxInitialState = 1000;

export type CreatedRoom = {
  readonly roomId: string;
  /** Where somebody does not take invitations from the creator: the room is there all the same, without them. */
  readonly refusal: MatrixError | undefined;
  /** What invitations of people of other servers are to say, as far as the room's first state says it. */
  readonly toInvite: ReadonlyMap<string, JsonObject>;
};

/** Creates a room as a request describes it; nobody of another server is invited yet. */
export async function createRoom(
  { newRooms, serverName, defaultVersion, mayPublish, profileOf, isElsewhere, refuseBlocked, checkAlias }: Dependencies,
  creator: string,
  request: CreateRoomRequest,
): Promise<CreatedRoom> {
  const invited = [...new Set(request.invite ?? [])];
  if ((request.initial_state?.length ?? 0) > maxInitialState) {
    throw new MatrixError('request.invalid-param', {
      message: `A room starts with ${maxInitialState} events of initial_state at most.`,
    });
  }
  const isPublished = request.visibility === 'public';
  if (isPublished && !mayPublish) {
    throw new MatrixError('forbidden', { message: 'You may not list rooms in the directory of this server.' });
  }
  const rules = roomVersionFor(request.room_version ?? defaultVersion);
  const alias = aliasFor(request.room_alias_name, serverName);
  if (alias !== undefined) checkAlias(alias);
  for (const { type, state_key: stateKey = '', content } of request.initial_state ?? []) {
    if (type === 'm.room.canonical_alias' && stateKey === '') checkFirstCanonicalAlias(content, alias);
  }
  const drafts = initialEvents(request, { rules, creator, creatorProfile: await profileOf(creator), alias });
  const away = invitationsElsewhere({ isElsewhere }, drafts);
  refuseMany(new Set([...invited, ...away.keys()]));
  const here = invited.filter((userId) => !isElsewhere(userId));
  const invitations = await Promise.all(
    here.map(async (userId): Promise<Draft> => {
      return memberDraft(creator, userId, invitationContent(request.is_direct, await profileOf(userId)));
    }),
  );
  const first = [...drafts.filter((draft) => !away.has(inviteeOf(draft) ?? '')), ...invitations];
  const { passed, refusal } = await withoutBlocked({ refuseBlocked, isElsewhere }, first);
  const planned = await newRooms.plan(rules);
  try {
    const roomId = await newRooms.create(planned, passed, (set, roomNid) => {
      if (alias !== undefined) addAlias(set, alias, roomNid, creator);
      if (isPublished) addPublishedRoom(set, roomNid);
    });
    return { roomId, refusal, toInvite: new Map(Array.from(away, ([userId, { content }]) => [userId, content])) };
  } catch (error) {
    if (!(error instanceof MatrixError) || !isAgainstRules(error.reason)) throw error;
    throw new MatrixError('room.invalid-state', { message: error.message });
  }
}

function isAgainstRules(reason: ErrorReason): boolean {
  return reason === 'forbidden' || reason === 'event.malformed';
}

function refuseMany(invited: ReadonlySet<string>): void {
  if (invited.size <= maxInvitations) return;
  throw new MatrixError('request.invalid-param', {
    message: `A room starts with ${maxInvitations} invitations at most.`,
  });
}

export function roomVersionFor(version: string): RoomVersionRules {
  const rules = findRoomVersion(version);
  if (rules === undefined) {
    throw new MatrixError('room.unsupported-version', { message: `This server has no room version ${version}.` });
  }
  return rules;
}

function aliasFor(localpart: string | undefined, serverName: string): string | undefined {
  if (localpart === undefined) return undefined;
  const alias = `#${localpart}:${serverName}`;
  if (localpart === '' || /[:\s\0]/u.test(localpart) || Buffer.byteLength(alias) > maxAliasBytes) {
    throw new MatrixError('request.invalid-param', {
      message: 'room_alias_name must be the local part of an alias: no colon, no white space, and not too long.',
    });
  }
  return alias;
}
