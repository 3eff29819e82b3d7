import { type EventSigner, findRoomVersion, type JsonObject, type RoomEvent, serverNameOf } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { countPendingInvites, findMemberEvent } from '@portico/storage/stores/federation/federation-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Logger } from '../../../observability/logger.ts';
import { isGuardFailure } from '../../accounts/guards.ts';
import type { AppServiceQueries } from '../../appservices/queries.ts';
import { refuseBlockedRoom } from '../../rooms/blocking/refuse-blocked-room.ts';
import type { InviteRules } from '../../privacy/invite-rules.ts';
import type { RateLimiter } from '../../rate-limit/rate-limiter.ts';
import type { RemoteMembership } from '../../rooms/importing/remote-invite.ts';
import type { CheckPdus } from './check-pdus.ts';
import type { FederatedRooms } from './federated-rooms.ts';
import { refuse, refuseUnchecked } from './refuse-event.ts';
import { type FilterToldState, maxToldLength, shownState, type ToldRoom } from './shown-state.ts';
import { signGiven } from './sign-given.ts';

export type IncomingInvite = {
  readonly origin: string;
  readonly roomId: string;
  readonly eventId: string;
  readonly version: string;
  readonly event: JsonObject;
  readonly roomState: readonly JsonObject[];
};

/** Checks, signs and records an invitation of somebody of this server; gives it as it is signed. */
export type ReceiveInvite = (invite: IncomingInvite) => Promise<JsonObject>;

type Dependencies = {
  readonly db: Reader;
  readonly rooms: FederatedRooms;
  readonly checkPdus: CheckPdus;
  readonly inviteRules: Pick<InviteRules, 'refuseBlocked'>;
  readonly filterToldState: FilterToldState;
  /** Has a bridge make a user of its own who is not there yet. */
  readonly ensureUser: AppServiceQueries['ensureUser'];
  readonly recordRemote: (membership: RemoteMembership) => Promise<unknown>;
  readonly signer: EventSigner;
  readonly rateLimiter: Pick<RateLimiter, 'take'>;
  readonly log: Pick<Logger, 'info'>;
};

const manyInvites = 50;
const shortLength = 4096;

export function createReceiveInvite(deps: Dependencies): ReceiveInvite {
  const { db, rooms, signer, rateLimiter, log } = deps;

  async function requireAccount(userId: string): Promise<void> {
    await deps.ensureUser(userId);
    const account = await findAccount(db, userId);
    if (account !== undefined && account.deactivated_at === null) return;
    throw new MatrixError('forbidden', { message: 'There is nobody of this name here.' });
  }

  /**
   * Servers of before the middle of 2026 send stripped events. People may be invited from there: what cannot be checked is
   * not shown, and a whole create event that is not the room's is refused.
   *
   * > servers SHOULD consider their local ecosystems before returning the described `400 M_MISSING_PARAM` error code
   *
   * {@link https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room}
   */
  async function filterState(origin: string, room: ToldRoom, told: readonly JsonObject[]) {
    const filtered = await deps.filterToldState(room, told);
    if (filtered.some(isCreate) || room.rules.event.roomId !== 'create-event') return filtered;
    if (told.some((event) => isCreate(event) && event['signatures'] !== undefined)) {
      const message = 'The create event in invite_room_state is not that of the room.';
      throw new MatrixError('request.missing-param', { message });
    }
    log.info({ origin, room_id: room.roomId }, 'An invitation came without the create event of its room');
    return filtered;
  }

  /** All of them are part of each first sync: of very many less is kept than of those that somebody is going to read. */
  async function mostShown(userId: string): Promise<number> {
    return (await countPendingInvites(db, userId, manyInvites)) < manyInvites ? maxToldLength : shortLength;
  }

  async function record(invitation: RemoteMembership): Promise<void> {
    try {
      await deps.recordRemote(invitation);
    } catch (error) {
      // Who did not get the answer sends it again: it counts once, whatever the person has done since.
      if (!isGuardFailure(error, 'event.duplicate')) throw error;
    }
  }

  return async ({ origin, roomId, eventId, version, event: given, roomState }) => {
    const rules = findRoomVersion(version);
    if (rules === undefined) throw new MatrixError('room.incompatible-version', { fields: { room_version: version } });
    const signed = signGiven(rules, given, signer);
    const [checked] = await deps.checkPdus(rules, [signed]);
    if (checked?.kind !== 'ok') refuseUnchecked(checked);
    const { event } = checked;
    refuseUnlessInvitation(event, { origin, roomId, eventId }, signer.serverName);
    const userId = event.stateKey ?? '';
    await requireAccount(userId);
    await refuseBlockedRoom(db, roomId);
    const room = await rooms.find(roomId, origin);
    if (room?.isAllowed === false)
      throw new MatrixError('forbidden', { message: 'The room does not allow your server.' });
    await deps.inviteRules.refuseBlocked(event.sender, userId);
    // A room that this server is in gets the invitation like any other event.
    if (room?.isOurs !== true) {
      rateLimiter.take('invite-from-server', `${origin} ${userId}`);
      const told = await filterState(origin, { rules, roomId }, roomState);
      const member = await findMemberEvent(db, roomId, userId);
      await record({
        rules,
        received: checked,
        previous: member?.membership ?? 'leave',
        shown: { events: shownState(told, event, await mostShown(userId)), servers: [origin] },
      });
    }
    return signed;
  };
}

function isCreate({ type, state_key: stateKey }: { readonly [name: string]: unknown }): boolean {
  return type === 'm.room.create' && stateKey === '';
}

function refuseUnlessInvitation(
  event: RoomEvent,
  { origin, roomId, eventId }: Pick<IncomingInvite, 'origin' | 'roomId' | 'eventId'>,
  serverName: string,
): void {
  if (event.roomId !== roomId || event.eventId !== eventId) refuse('The event is another one than the path says.');
  if (event.type !== 'm.room.member' || event.content['membership'] !== 'invite') refuse('This is no invitation.');
  if (serverNameOf(event.sender) !== origin) refuse('The sender is not of your server.');
  if (serverNameOf(event.stateKey ?? '') !== serverName) refuse('Nobody of this server is invited.');
}
