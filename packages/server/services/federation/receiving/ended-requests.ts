import { findRoomVersion, type JsonObject, type RoomEvent, serverNameOf } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findMemberEvent, type MemberEventRow } from '@portico/storage/stores/federation/federation-rooms.ts';
import { isGuardFailure } from '../../accounts/guards.ts';
import type { RemoteMembership } from '../../rooms/importing/remote-invite.ts';
import type { CheckPdus } from '../rooms/check-pdus.ts';

/** Of the events of a room that this server is not in, those that end an invitation or a knock of its people are taken. */
export type EndRequests = (pdus: readonly JsonObject[]) => Promise<void>;

type Dependencies = {
  readonly db: Reader;
  readonly checkPdus: CheckPdus;
  readonly recordRemote: (membership: RemoteMembership) => Promise<unknown>;
  readonly serverName: string;
};

export function createEndRequests({ db, checkPdus, recordRemote, serverName }: Dependencies): EndRequests {
  async function take(pdu: JsonObject): Promise<void> {
    const { room_id: roomId, state_key: userId, type } = pdu;
    if (type !== 'm.room.member' || typeof roomId !== 'string' || typeof userId !== 'string') return;
    if (serverNameOf(userId) !== serverName) return;
    const member = await findMemberEvent(db, roomId, userId);
    const rules = member && findRoomVersion(member.room_version);
    if (member === undefined || rules === undefined) return;
    const [received] = await checkPdus(rules, [pdu]);
    if (received?.kind !== 'ok' || !ends(received.event, member)) return;
    const { membership: previous, event_id: answers } = member;
    try {
      await recordRemote({ rules, received, previous, answers, shown: undefined });
    } catch (error) {
      // The person has knocked again meanwhile, or was invited: it is not about that. Or it takes another event's ID, which before
      // version 3 is for its server to choose.
      if (!isGuardFailure(error, 'membership.changed') && !isGuardFailure(error, 'event.duplicate')) throw error;
    }
  }

  return async (pdus) => {
    for (const pdu of pdus) await take(pdu);
  };
}

/**
 * Nobody here knows the room's power levels. Who invited somebody may take that back. That a knock is answered by somebody
 * of the room shows in that the answer names the knock, of which only the room's servers have heard.
 */
function ends({ sender, stateKey, content, authEvents }: RoomEvent, member: MemberEventRow): boolean {
  const isEnd = content['membership'] === 'leave' || content['membership'] === 'ban';
  if (!isEnd || sender === stateKey || !authEvents.includes(member.event_id)) return false;
  return member.membership === 'knock' || (member.membership === 'invite' && member.sender === sender);
}
