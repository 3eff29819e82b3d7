import { isJsonObject, type JsonObject, parseServerName, serverNameOf } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { exchangeThirdPartyInvite } from '../../../federation-api/third-party-invites.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { RequireValidKey } from '../../identity/key-validity.ts';
import type { InviteRules } from '../../privacy/invite-rules.ts';
import { refuseBlockedRoom } from '../../rooms/blocking/refuse-blocked-room.ts';
import { changeMembership, membershipOf, refuse } from '../../rooms/membership/change-membership.ts';
import type { RoomParts } from '../../rooms/room-parts.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import type { RemoteRooms } from '../../rooms/remote-rooms.ts';
import type { RoomWriter } from '../../rooms/room-writer.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import type { FederatedRoom, FederatedRooms } from './federated-rooms.ts';

export type BoundInvite = {
  readonly roomId: string;
  /** Who invited the address. */
  readonly sender: string;
  readonly mxid: string;
  /** The identity server's word that the address belongs to the person. */
  readonly signed: JsonObject;
};

/** Invitations of email addresses and phone numbers, once it is known whose they are. */
export interface ThirdPartyInvites {
  /** Another server asks for the invitation of one of its people, in the name of one of ours. */
  exchange(origin: string, roomId: string, wanted: JsonObject): Promise<void>;
  /** An identity server tells of addresses that belong to a person of this server. */
  bound(userId: string, invites: readonly BoundInvite[]): Promise<void>;
  /** A person of this server shows that an address of theirs was invited: they are invited by that. */
  claim(userId: string, roomIdOrAlias: string, signed: SignedToken): Promise<void>;
}

/** "A signature of an `m.third_party_invite` token to prove that this user owns a third-party identity" */
export type SignedToken = {
  readonly sender: string;
  readonly mxid: string;
  readonly token: string;
  readonly signatures: JsonObject;
};

type Dependencies = {
  readonly db: Reader;
  readonly client: FederationClient;
  readonly rooms: FederatedRooms;
  readonly readState: ReadState;
  readonly writer: RoomWriter;
  readonly invite: RemoteRooms['invite'];
  readonly locate: RoomParts['locate'];
  readonly inviteRules: Pick<InviteRules, 'refuseBlocked'>;
  readonly requireValidKey: RequireValidKey;
  readonly signer: { readonly serverName: string };
  readonly log: Logger;
};

/**
 * {@link https://spec.matrix.org/v1.19/server-server-api/#third-party-invites}
 *
 * Whether the identity server's signature is by a key that the room knows is for the room's rules to say; whether that key
 * has been revoked is asked here, and by no other server of the room.
 */
export function createThirdPartyInvites(deps: Dependencies): ThirdPartyInvites {
  const { client, rooms, signer, log } = deps;

  /** Invites the person in the name of who invited the address, into a room that this server is in. */
  async function inviteTo({ roomNid, roomId }: FederatedRoom, invite: Omit<BoundInvite, 'roomId'>): Promise<void> {
    const { sender, mxid, signed } = invite;
    await refuseBlockedRoom(deps.db, roomId);
    const token = signed['token'];
    if (typeof token !== 'string') return refuse('The invitation has no token.');
    const { state } = await deps.readState(roomNid, [['m.room.third_party_invite', token]]);
    const pending = state('m.room.third_party_invite', token);
    if (pending?.sender !== sender) return refuse('Nobody of this name has invited such an address to the room.');
    await deps.requireValidKey(pending.content, signed);
    const displayName = pending.content['display_name'];
    const content = {
      membership: 'invite',
      third_party_invite: { ...(typeof displayName === 'string' && { display_name: displayName }), signed },
    };
    if (serverNameOf(mxid) !== signer.serverName) {
      await deps.invite({ roomNid, roomId, sender, userId: mxid, content });
      return;
    }
    await deps.inviteRules.refuseBlocked(sender, mxid);
    const plan = changeMembership({
      sender,
      userId: mxid,
      content(current) {
        const membership = membershipOf(current);
        return membership === 'join' || membership === 'invite' ? undefined : content;
      },
    });
    await deps.writer.append(roomNid, { ...plan, needs: [...plan.needs, ['m.room.third_party_invite', token]] });
  }

  async function passOn({ roomId, sender, mxid, signed }: BoundInvite): Promise<void> {
    const server = parseServerName(serverNameOf(sender) ?? '');
    if (server === undefined) return;
    if (server === signer.serverName) {
      await inviteTo(await rooms.open(roomId, server), { sender, mxid, signed });
      return;
    }
    const content = { membership: 'invite', third_party_invite: { display_name: '', signed } };
    const body = { type: 'm.room.member', room_id: roomId, sender, state_key: mxid, content };
    await client.call(exchangeThirdPartyInvite, server, { params: { roomId }, body });
  }

  return {
    async exchange(origin, roomId, wanted) {
      const { type, room_id: room, sender, state_key: mxid, content } = wanted;
      const invite = isJsonObject(content) ? content['third_party_invite'] : undefined;
      const signed = isJsonObject(invite) ? invite['signed'] : undefined;
      const isInvite = isJsonObject(content) && content['membership'] === 'invite';
      if (type !== 'm.room.member' || !isInvite || !isJsonObject(signed) || room !== roomId) {
        throw new MatrixError('request.invalid-param', {
          message: 'This is no invitation of a third-party identifier.',
        });
      }
      if (typeof sender !== 'string' || typeof mxid !== 'string' || signed['mxid'] !== mxid) {
        throw new MatrixError('request.invalid-param', { message: 'The invitation is for somebody else.' });
      }
      if (serverNameOf(sender) !== signer.serverName) refuse('The person who invites is not of this server.');
      if (serverNameOf(mxid) !== origin) refuse('The invited person is not of your server.');
      await inviteTo(await rooms.open(roomId, origin), { sender, mxid, signed });
    },
    async claim(userId, roomIdOrAlias, signed) {
      const { sender, mxid } = signed;
      if (mxid !== userId) refuse('The invitation is for somebody else.');
      const { roomId } = await deps.locate(roomIdOrAlias);
      try {
        await passOn({ roomId, sender, mxid, signed });
      } catch (error) {
        if (!(error instanceof FederationError)) throw error;
        if (error.refusal !== undefined) refuse('The server of who invited you does not know of the invitation.');
        throw new MatrixError('federation.failed');
      }
    },
    async bound(userId, invites) {
      const account = serverNameOf(userId) === signer.serverName ? await findAccount(deps.db, userId) : undefined;
      if (account === undefined || account.deactivated_at !== null) throw new MatrixError('profile.not-found');
      for (const invite of invites) {
        if (invite.mxid !== userId || invite.signed['mxid'] !== userId) continue;
        try {
          await passOn(invite);
        } catch (error) {
          if (!(error instanceof FederationError) && !(error instanceof MatrixError)) throw error;
          log.info({ roomId: invite.roomId, reason: error.message }, 'The invitation of an address was of no use');
        }
      }
    },
  };
}
