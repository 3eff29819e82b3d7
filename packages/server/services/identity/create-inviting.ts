import { MatrixError } from '../../errors/matrix-error.ts';
import type { CreateRoomRequest } from '../rooms/create-room.ts';
import type { Actor, RoomService } from '../rooms/room-service.ts';
import type { IdentityAccess, Identifier } from './identity-client.ts';
import { checkMedium, type InviteAddress } from './invite-address.ts';

/** Creates a room, and invites people and addresses to it. Returns its ID. */
export type CreateInviting = (
  actor: Actor,
  request: CreateRoomRequest,
  addresses: readonly (Identifier & IdentityAccess)[],
) => Promise<string>;

type Dependencies = { readonly rooms: Pick<RoomService, 'create'>; readonly inviteAddress: InviteAddress };

/** Each is asked for on its own, at an identity server. */
const mostAddresses = 20;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom} */
export function createCreateInviting({ rooms, inviteAddress }: Dependencies): CreateInviting {
  return async (actor, request, addresses) => {
    if (addresses.length > mostAddresses) {
      const message = `A room starts with ${mostAddresses} invitations of addresses at most.`;
      throw new MatrixError('request.invalid-param', { message });
    }
    for (const { medium } of addresses) checkMedium(medium);
    return rooms.create(actor, request, async (roomId) => {
      let refusal: MatrixError | undefined;
      for (const address of addresses) {
        try {
          await inviteAddress(actor, roomId, { ...address, reason: undefined });
        } catch (error) {
          // The others are invited all the same.
          if (!(error instanceof MatrixError)) throw error;
          refusal ??= error;
        }
      }
      if (refusal !== undefined) throw refusal;
    });
  };
}
