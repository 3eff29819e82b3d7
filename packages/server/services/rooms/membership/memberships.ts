import { isUserId, type JsonObject } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { InviteRules } from '../../privacy/invite-rules.ts';
import type { RoomNames } from '../../reading/room-names.ts';
import { refuseRejection } from '../../server-notices/refuse-rejection.ts';
import type { RemoteRooms } from '../remote-rooms.ts';
import type { FindRooms, RoomCore } from '../room-parts.ts';
import type { RoomService } from '../room-service.ts';
import { refuseBlockedRoom } from '../blocking/refuse-blocked-room.ts';
import { planBan, planUnban } from './ban.ts';
import { withReason } from './change-membership.ts';
import { forget } from './forget.ts';
import type { InviteElsewhere } from './invite-elsewhere.ts';
import { planInvite } from './invite.ts';
import { joinRoom } from './join-room.ts';
import { joinContent } from './join.ts';
import { planKick } from './kick.ts';
import { planKnock } from './knock.ts';
import { planLeave } from './leave.ts';
import { predecessorIn } from './predecessor.ts';

export type Memberships = Pick<
  RoomService,
  'invite' | 'join' | 'knock' | 'leave' | 'forget' | 'kick' | 'ban' | 'unban'
>;

type Dependencies = {
  readonly db: Database;
  readonly core: Pick<RoomCore, 'writer' | 'readState'>;
  readonly rooms: FindRooms;
  readonly roomNames: RoomNames;
  readonly serverName: string;
  readonly remote: () => RemoteRooms | undefined;
  readonly elsewhere: InviteElsewhere;
  readonly inviteRules: Pick<InviteRules, 'refuseBlocked'>;
  readonly profileOf: (userId: string) => Promise<JsonObject>;
  /** Brings what somebody has set for a room that this one replaces. */
  readonly carryOver: (userId: string, from: string | undefined, to: string) => Promise<void>;
};

/** Who is in a room, and how they come to be: here, or by way of servers that are in it. */
export function createMemberships(dependencies: Dependencies): Memberships {
  const { db, core, rooms, roomNames, serverName, remote, elsewhere, inviteRules, profileOf, carryOver } = dependencies;
  const { writer, readState } = core;

  async function predecessorOf(roomId: string): Promise<string | undefined> {
    const { state } = await readState(await rooms.nidOf(roomId), [['m.room.create', '']]);
    return predecessorIn(state('m.room.create')?.content);
  }

  return {
    async invite({ userId }, roomId, invited, reason) {
      checkUserId(invited);
      await refuseBlockedRoom(db, roomId);
      const [roomNid, profile] = await Promise.all([rooms.nidOf(roomId), profileOf(invited)]);
      if (elsewhere.isElsewhere(invited)) {
        const content = withReason({}, reason);
        await elsewhere.invite({ roomNid, roomId, sender: userId, userId: invited, content });
        return;
      }
      await inviteRules.refuseBlocked(userId, invited);
      await writer.append(roomNid, planInvite(userId, invited, profile, reason));
    },
    async join({ userId }, roomIdOrAlias, { reason, extra = {}, via }) {
      const { roomId, servers } = await rooms.locate(roomIdOrAlias);
      await refuseBlockedRoom(db, roomId);
      const given = { profile: await profileOf(userId), reason, extra };
      const content = joinContent(given);
      for (let away = await rooms.awayFor(roomId); away !== undefined; away = await rooms.awayFor(roomId)) {
        if ((await away.join({ userId, roomId, via: [...via, ...servers], content })) === 'joined') {
          await carryOver(userId, await predecessorOf(roomId), roomId);
          return roomId;
        }
      }
      const { roomNid } = await rooms.resolve(roomId);
      const joinElsewhere = async (): Promise<boolean> =>
        remote()?.joinAdmitted({ userId, roomId, via, content }) ?? false;
      const joining = { db, writer, readState, serverName, joinElsewhere };
      const { predecessor } = await joinRoom(joining, roomNid, userId, given);
      await carryOver(userId, predecessor, roomId);
      return roomId;
    },
    async knock({ userId }, roomIdOrAlias, { reason, via }) {
      const { roomId, servers } = await rooms.locate(roomIdOrAlias);
      await refuseBlockedRoom(db, roomId);
      const profile = await profileOf(userId);
      const away = await rooms.awayFor(roomId);
      if (away === undefined) {
        await writer.append((await rooms.resolve(roomId)).roomNid, planKnock(userId, profile, reason));
      } else {
        const content = withReason({ ...profile, membership: 'knock' }, reason);
        await away.knock({ userId, roomId, via: [...via, ...servers], content });
      }
      return roomId;
    },
    async forget({ userId }, roomId) {
      const roomNid = await roomNames.find(roomId);
      if (roomNid !== undefined) await forget(db, roomNid, userId);
    },
    async leave({ userId }, roomId, reason) {
      const away = await rooms.awayFor(roomId);
      if (away !== undefined) return away.leave(userId, roomId, withReason({}, reason));
      const roomNid = await rooms.nidOf(roomId);
      await refuseRejection(db, userId, roomId, roomNid);
      await writer.append(roomNid, planLeave(userId, reason));
    },
    async kick({ userId }, roomId, kicked, reason) {
      checkUserId(kicked);
      await writer.append(await rooms.nidOf(roomId), planKick(userId, kicked, reason));
    },
    async ban({ userId }, roomId, banned, reason) {
      checkUserId(banned);
      await writer.append(await rooms.nidOf(roomId), planBan(userId, banned, reason));
    },
    async unban({ userId }, roomId, banned, reason) {
      checkUserId(banned);
      await writer.append(await rooms.nidOf(roomId), planUnban(userId, banned, reason));
    },
  };
}

export function checkUserId(userId: string): void {
  if (!isUserId(userId)) throw new MatrixError('request.invalid-param', { message: 'user_id is not a user ID.' });
}
