import { isUserId, type JsonObject, serverNameOf } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { findMembership } from '@portico/storage/stores/rooms/memberships-read.ts';
import { findNoticeRoom, setNoticeRoom } from '@portico/storage/stores/rooms/server-notice-rooms.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomNames } from '../reading/room-names.ts';
import { planInvite } from '../rooms/membership/invite.ts';
import type { RoomService } from '../rooms/room-service.ts';
import type { RoomWriter } from '../rooms/room-writer.ts';
import type { Tags } from '../tags/tags.ts';

export type Notice = {
  readonly userId: string;
  readonly type: string;
  /** Of a notice that is a state event. */
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
  /** Whose transaction it is. The same one again is the same notice. */
  readonly transaction: { readonly sender: string; readonly txnId: string };
};

/** How the server speaks to its people. {@link https://spec.matrix.org/v1.19/client-server-api/#server-notices} */
export interface ServerNotices {
  /** Sends a notice, in the room that the person has for them, and returns its event ID. */
  send(notice: Notice): Promise<string>;
}

type Dependencies = {
  readonly db: Database;
  readonly rooms: Pick<RoomService, 'create' | 'send' | 'setState'>;
  readonly writer: RoomWriter;
  readonly roomNames: RoomNames;
  readonly tags: Tags;
  readonly serverName: string;
  /** The user who sends notices. */
  readonly sender: string;
  readonly roomName: string;
};

/** People cannot write there: nobody would read it. */
const powerLevels = { users_default: -10 };
const tag = 'm.server_notice';

export function createServerNotices(deps: Dependencies): ServerNotices {
  const { db, rooms, writer, roomNames, tags, serverName, sender, roomName } = deps;
  const opening = new Map<string, Promise<string>>();

  async function open(userId: string): Promise<string> {
    const known = await findNoticeRoom(db, userId);
    if (known !== undefined) return known;
    const actor = { userId: sender, deviceId: '' };
    const roomId = await rooms.create(actor, {
      preset: 'private_chat',
      name: roomName,
      power_level_content_override: powerLevels,
      creation_content: { 'm.federate': false },
    });
    await tags.set(userId, roomId, tag, {});
    const set = createWriteSet();
    setNoticeRoom(set, userId, roomId);
    await db.commit(set);
    return roomId;
  }

  /** One room for each person, however many notices come at once. */
  async function roomFor(userId: string): Promise<string> {
    const running = opening.get(userId);
    if (running !== undefined) return running;
    const opened = open(userId);
    opening.set(userId, opened);
    try {
      return await opened;
    } finally {
      opening.delete(userId);
    }
  }

  /** Whatever a person's own rules say of invitations: this is their server. */
  async function invite(userId: string, roomId: string): Promise<void> {
    const roomNid = await roomNames.find(roomId);
    if (roomNid === undefined) throw new Error('The room for notices is gone');
    const membership = (await findMembership(db, roomNid, userId))?.membership;
    if (membership === 'join' || membership === 'invite') return;
    await writer.append(roomNid, planInvite(sender, userId, {}, undefined));
  }

  return {
    async send({ userId, type, stateKey, content, transaction }) {
      if (!isUserId(userId) || serverNameOf(userId) !== serverName) throw new MatrixError('user.not-local');
      const account = await findAccount(db, userId);
      if (account === undefined || account.deactivated_at !== null) throw new MatrixError('user.not-found');
      const roomId = await roomFor(userId);
      await invite(userId, roomId);
      const actor = { userId: sender, deviceId: transaction.sender };
      if (stateKey !== undefined) return rooms.setState(actor, roomId, type, stateKey, content);
      return rooms.send(actor, roomId, type, transaction.txnId, content);
    },
  };
}
