import type { JsonObject } from '@portico/protocol';
import { caseFold } from '@portico/protocol/case-fold.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { mayInvite } from '../rooms/membership/restricted-join.ts';
import type { RoomParts } from '../rooms/room-parts.ts';
import type { Actor, RoomService } from '../rooms/room-service.ts';
import type { IdentityAccess, IdentityClient, Identifier } from './identity-client.ts';

/** Invites whoever owns an email address or a phone number. */
export type InviteAddress = (
  actor: Actor,
  roomId: string,
  invite: Identifier & IdentityAccess & { readonly reason: string | undefined },
) => Promise<void>;

type Dependencies = {
  readonly identity: IdentityClient;
  readonly rooms: Pick<RoomService, 'invite' | 'setState'> & Pick<RoomParts, 'readState' | 'resolve'>;
};

/** {@link https://spec.matrix.org/v1.19/client-server-api/#thirdparty_post_matrixclientv3roomsroomidinvite} */
export function createInviteAddress({ identity, rooms }: Dependencies): InviteAddress {
  /** Nobody's address is told to an identity server for somebody who could not invite them. */
  async function requireInviter(roomId: string, userId: string): Promise<void> {
    const { roomNid } = await rooms.resolve(roomId);
    const { rules, state } = await rooms.readState(roomNid, [
      ['m.room.create', ''],
      ['m.room.power_levels', ''],
      ['m.room.member', userId],
    ]);
    if (state('m.room.member', userId)?.content['membership'] !== 'join') {
      throw new MatrixError('forbidden', { message: 'You are not in this room.' });
    }
    if (mayInvite({ rules, state }, userId)) return;
    throw new MatrixError('forbidden', { message: 'You may not invite anybody to this room.' });
  }

  return async (actor, roomId, { medium, address: given, server, token: accessToken, reason }) => {
    checkMedium(medium);
    await requireInviter(roomId, actor.userId);
    const access = { server, token: accessToken };
    const identifier = { medium, address: medium === 'email' ? caseFold(given) : given };
    const userId = await identity.find(access, identifier);
    if (userId !== undefined) {
      await rooms.invite(actor, roomId, userId, reason);
      return;
    }
    const invite = { ...identifier, room_id: roomId, sender: actor.userId };
    const { token, displayName, publicKeys } = await identity.storeInvite(access, invite);
    const [first] = publicKeys;
    const content: JsonObject = {
      display_name: displayName,
      public_keys: publicKeys,
      ...(first?.['public_key'] !== undefined && { public_key: first['public_key'] }),
      ...(first?.['key_validity_url'] !== undefined && { key_validity_url: first['key_validity_url'] }),
    };
    await rooms.setState(actor, roomId, 'm.room.third_party_invite', token, content);
  };
}

export function checkMedium(medium: string): void {
  if (medium === 'email' || medium === 'msisdn') return;
  throw new MatrixError('request.invalid-param', { message: 'medium is email or msisdn.' });
}
