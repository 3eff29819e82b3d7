import { findRoomVersion, type JsonObject, type RoomVersionRules } from '@portico/protocol';
import { addAlias, addPublishedRoom } from '@portico/storage/stores/room-directory-write.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { initialEvents, invitationContent, type RoomRequest } from './creation/initial-events.ts';
import { type Draft, memberDraft } from './draft.ts';
import type { NewRooms } from './new-rooms.ts';

export type CreateRoomRequest = RoomRequest & {
  readonly room_alias_name?: string;
  readonly room_version?: string;
  readonly invite_3pid?: readonly unknown[];
};

type Dependencies = {
  readonly newRooms: NewRooms;
  readonly serverName: string;
  readonly defaultVersion: string;
  readonly profileOf: (userId: string) => Promise<JsonObject>;
};

const maxAliasBytes = 255;

/** Creates a room as a request describes it, and returns its ID. */
export async function createRoom(
  { newRooms, serverName, defaultVersion, profileOf }: Dependencies,
  creator: string,
  request: CreateRoomRequest,
): Promise<string> {
  if ((request.invite_3pid ?? []).length > 0) {
    throw new MatrixError('third-party-invite.unavailable');
  }
  const rules = roomVersionFor(request.room_version ?? defaultVersion);
  const alias = aliasFor(request.room_alias_name, serverName);
  const drafts = initialEvents(request, { rules, creator, creatorProfile: await profileOf(creator), alias });
  const invitations = await Promise.all(
    [...new Set(request.invite ?? [])].map(async (userId): Promise<Draft> => {
      return memberDraft(creator, userId, invitationContent(request.is_direct, await profileOf(userId)));
    }),
  );
  return newRooms.create(rules, [...drafts, ...invitations], (set, roomNid) => {
    if (alias !== undefined) addAlias(set, alias, roomNid, creator);
    if (request.visibility === 'public') addPublishedRoom(set, roomNid);
  });
}

function roomVersionFor(version: string): RoomVersionRules {
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
