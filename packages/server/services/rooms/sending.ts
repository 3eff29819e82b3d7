import { isUserId, type JsonObject } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { InviteRules } from '../privacy/invite-rules.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import { checkCanonicalAlias } from './aliases/canonical-alias.ts';
import { isEntering, refuseBlockedRoom } from './blocking/refuse-blocked-room.ts';
import { redactsOf } from './check-sendable.ts';
import { inviteeOf } from './creation/invitations.ts';
import type { InviteElsewhere } from './membership/invite-elsewhere.ts';
import { prepareRelatedRedactions } from './redact-related.ts';
import { planRedaction, readRedactionTarget } from './redact.ts';
import type { FindRooms, RoomCore } from './room-parts.ts';
import type { RoomService } from './room-service.ts';
import { sendMessage } from './send-message.ts';
import { setState, soleEventId } from './set-state.ts';
import { refuseTooManySticky } from './stickiness.ts';
import { createTransactions } from './transactions.ts';

export type Sending = Pick<RoomService, 'send' | 'checkSendable' | 'setState' | 'redact'>;

type Dependencies = {
  readonly db: Database;
  readonly core: Pick<RoomCore, 'writer' | 'readState' | 'refuseUnsendable'>;
  readonly rooms: FindRooms;
  readonly elsewhere: InviteElsewhere;
  readonly inviteRules: Pick<InviteRules, 'refuseBlocked'>;
  readonly unread: Pick<UnreadService, 'appendRedaction'>;
  readonly serverName: string;
  readonly now: () => number;
  /** `displayname` and `avatar_url` of a person of this server, for their member events; empty for anyone else. */
  readonly profileOf: (userId: string) => Promise<JsonObject>;
};

/** What people say in a room, set there and take back. */
export function createSending(dependencies: Dependencies): Sending {
  const { db, core, rooms, elsewhere, inviteRules, unread, serverName, now, profileOf } = dependencies;
  const { writer, readState } = core;
  const transactions = createTransactions(db);

  const redact: Sending['redact'] = async (actor, roomId, eventId, txnId, request) => {
    const { content, relTypes = [], originServerTs, stickyMs } = request;
    const roomNid = await rooms.nidOf(roomId);
    const type = 'm.room.redaction';
    return transactions.once({ ...actor, roomNid, type, txnId }, async () => {
      if (stickyMs !== undefined) await refuseTooManySticky(db, roomNid, actor.userId, now());
      const target = await readRedactionTarget(db, roomNid, eventId);
      const ownOnly = actor.standing === 'suspended';
      if (ownOnly && target?.sender !== actor.userId) throw new MatrixError('user.suspended');
      const transaction = { deviceId: actor.deviceId, txnId };
      const related = { roomNid, eventId, relTypes, content, ownOnly };
      const alongside =
        relTypes.length === 0 ? undefined : await prepareRelatedRedactions(db, actor.userId, related, now());
      const asked = { content, originServerTs, stickyMs, transaction, ...(alongside && { alongside }) };
      const plan = planRedaction(actor.userId, { eventId, target }, asked, { now, unread });
      return soleEventId((await writer.append(roomNid, plan)).events);
    });
  };

  /**
   * > when homeservers emit room membership events for their own users, they should include the display name and avatar URL
   * > fields in these events
   *
   * Whoever says something of either has another profile in mind for the room.
   */
  async function withProfile(userId: string, content: JsonObject): Promise<JsonObject> {
    const isSaid = Object.hasOwn(content, 'displayname') || Object.hasOwn(content, 'avatar_url');
    return isSaid ? content : { ...content, ...(await profileOf(userId)) };
  }

  return {
    redact,
    async send(actor, roomId, type, txnId, content, options = {}) {
      if (type === 'm.room.redaction') {
        const { redacts: _, ...rest } = content;
        return redact(actor, roomId, redactsOf(content), txnId, { content: rest, ...options });
      }
      const message = { type, txnId, content, ...options };
      return sendMessage({ reader: db, writer, transactions, now }, await rooms.nidOf(roomId), actor, message);
    },
    async checkSendable({ userId }, roomId, event) {
      await core.refuseUnsendable(await rooms.nidOf(roomId), { ...event, sender: userId });
    },
    async setState({ userId, deviceId }, roomId, type, stateKey, content, options = {}, txnId) {
      const roomNid = await rooms.nidOf(roomId);
      if (isEntering(type, content)) await refuseBlockedRoom(db, roomId);
      if (options.stickyMs !== undefined) await refuseTooManySticky(db, roomNid, userId, now());
      if (type === 'm.room.canonical_alias' && stateKey === '') {
        const { locate } = rooms;
        await checkCanonicalAlias({ db, readState, serverName, locate }, { roomNid, roomId }, userId, content);
      }
      const invitee = inviteeOf({ type, stateKey, content });
      if (invitee !== undefined && isUserId(invitee)) {
        if (elsewhere.isElsewhere(invitee)) {
          return elsewhere.invite({ roomNid, roomId, sender: userId, userId: invitee, content });
        }
        await inviteRules.refuseBlocked(userId, invitee);
      }
      const hasProfile = invitee !== undefined || (isEntering(type, content) && stateKey === userId);
      const whole = hasProfile && isUserId(stateKey) ? await withProfile(stateKey, content) : content;
      const entry = { type, stateKey, content: whole, ...options };
      if (txnId === undefined) return setState(writer, roomNid, userId, entry);
      return transactions.once({ userId, deviceId, roomNid, type, txnId }, () =>
        setState(writer, roomNid, userId, { ...entry, transaction: { deviceId, txnId } }),
      );
    },
  };
}
