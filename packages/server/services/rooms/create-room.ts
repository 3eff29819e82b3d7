import { findRoomVersion, type JsonObject, type RoomVersionRules } from '@portico/protocol';
import { addAlias, addPublishedRoom } from '@portico/storage/stores/directory/room-directory-write.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { type Invitations, withoutBlocked } from './creation/invitations.ts';
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

/**
 * Creates a room as a request describes it, and returns its ID; with the refusal, if somebody who should be invited does not
 * take invitations from the creator. The room is there all the same, without them.
 */
export async function createRoom(
  { newRooms, serverName, defaultVersion, mayPublish, profileOf, isElsewhere, refuseBlocked, checkAlias }: Dependencies,
  creator: string,
  request: CreateRoomRequest,
): Promise<{ readonly roomId: string; readonly refusal: MatrixError | undefined }> {
  const invited = [...new Set(request.invite ?? [])];
  if (invited.length > maxInvitations) {
    throw new MatrixError('request.invalid-param', {
      message: `A room starts with ${maxInvitations} invitations at most.`,
    });
  }
  const isPublished = request.visibility === 'public';
  if (isPublished && !mayPublish) {
    throw new MatrixError('forbidden', { message: 'You may not list rooms in the directory of this server.' });
  }
  const rules = roomVersionFor(request.room_version ?? defaultVersion);
  const alias = aliasFor(request.room_alias_name, serverName);
  if (alias !== undefined) checkAlias(alias);
  const drafts = initialEvents(request, { rules, creator, creatorProfile: await profileOf(creator), alias });
  const here = invited.filter((userId) => !isElsewhere(userId));
  const invitations = await Promise.all(
    here.map(async (userId): Promise<Draft> => {
      return memberDraft(creator, userId, invitationContent(request.is_direct, await profileOf(userId)));
    }),
  );
  const { passed, refusal } = await withoutBlocked({ refuseBlocked, isElsewhere }, [...drafts, ...invitations]);
  const planned = await newRooms.plan(rules);
  try {
    const roomId = await newRooms.create(planned, passed, (set, roomNid) => {
      if (alias !== undefined) addAlias(set, alias, roomNid, creator);
      if (isPublished) addPublishedRoom(set, roomNid);
    });
    return { roomId, refusal };
  } catch (error) {
    if (!(error instanceof MatrixError) || error.reason !== 'forbidden') throw error;
    throw new MatrixError('room.invalid-state', { message: error.message });
  }
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
