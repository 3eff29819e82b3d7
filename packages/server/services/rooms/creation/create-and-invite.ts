import type { JsonObject } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { InviteRules } from '../../privacy/invite-rules.ts';
import { refuseManyAliases } from '../aliases/alias-limit.ts';
import { createRoom } from '../create-room.ts';
import type { InviteElsewhere } from '../membership/invite-elsewhere.ts';
import { checkUserId } from '../membership/memberships.ts';
import { predecessorIn } from '../membership/predecessor.ts';
import type { FindRooms, RoomCore } from '../room-parts.ts';
import type { RoomService } from '../room-service.ts';

type Dependencies = {
  readonly db: Database;
  readonly core: Pick<RoomCore, 'newRooms'>;
  readonly rooms: Pick<FindRooms, 'nidOf'>;
  readonly elsewhere: InviteElsewhere;
  readonly inviteRules: Pick<InviteRules, 'refuseBlocked'>;
  readonly serverName: string;
  readonly defaultVersion: string;
  readonly onlyAdminsPublish: boolean;
  readonly checkAlias: ((alias: string, by: string | undefined) => void) | undefined;
  readonly profileOf: (userId: string) => Promise<JsonObject>;
  readonly carryOver: (userId: string, from: string | undefined, to: string) => Promise<void>;
};

/** Creates rooms, and invites those who are asked by way of their own servers once the room is there. */
export function createAndInvite(dependencies: Dependencies): RoomService['create'] {
  const { db, core, rooms, elsewhere, inviteRules, serverName, defaultVersion, profileOf, carryOver } = dependencies;

  return async ({ userId, isAdmin, appService }, request, inviteFurther) => {
    for (const invited of request.invite ?? []) checkUserId(invited);
    if (request.room_alias_name !== undefined) {
      await refuseManyAliases(db, { userId, ...(appService && { appService }) });
    }
    const creating = {
      checkAlias: (alias: string) => dependencies.checkAlias?.(alias, appService?.id),
      isElsewhere: elsewhere.isElsewhere,
      refuseBlocked: inviteRules.refuseBlocked,
      newRooms: core.newRooms,
      serverName,
      defaultVersion,
      mayPublish: !dependencies.onlyAdminsPublish || isAdmin === true,
      profileOf,
    };
    const { roomId, refusal: firstRefusal, toInvite } = await createRoom(creating, userId, request);
    const roomNid = await rooms.nidOf(roomId);
    const usual: JsonObject = request.is_direct === true ? { is_direct: true } : {};
    const contents = new Map(toInvite);
    for (const invited of request.invite ?? []) if (elsewhere.isElsewhere(invited)) contents.set(invited, usual);
    const invitations = Array.from(
      contents,
      ([invited, content]) =>
        () =>
          elsewhere.invite({ roomNid, roomId, sender: userId, userId: invited, content }),
    );
    const refusal = await inviteAll([...invitations, async () => inviteFurther?.(roomId)]);
    await carryOver(userId, predecessorIn(request.creation_content), roomId);
    if (firstRefusal ?? refusal) throw firstRefusal ?? refusal;
    return roomId;
  };
}

/** Gives the first refusal. The others are invited all the same. */
async function inviteAll(invitations: readonly (() => Promise<unknown>)[]): Promise<MatrixError | undefined> {
  let refusal: MatrixError | undefined;
  for (const invite of invitations) {
    try {
      await invite();
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      refusal ??= error;
    }
  }
  return refusal;
}
