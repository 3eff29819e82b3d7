import {
  encodeCanonical,
  type EventSigner,
  findRoomVersion,
  type JsonObject,
  parseStrippedStateEvent,
  serverNameOf,
  signEvent,
} from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts.ts';
import { findMemberEvent } from '@portico/storage/stores/federation-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { InviteRules } from '../../privacy/invite-rules.ts';
import type { RemoteMembership } from '../../rooms/importing/remote-invite.ts';
import { strippedEvent } from '../../rooms/stripped-state.ts';
import type { CheckPdus } from './check-pdus.ts';
import type { FederatedRooms } from './federated-rooms.ts';

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
  readonly recordRemote: (membership: RemoteMembership) => Promise<unknown>;
  readonly signer: EventSigner;
};

/** Of what a server says of its room, so much is kept: each client of the person gets all of it. */
const maxStrippedEvents = 50;
const maxStrippedLength = 64 * 1024;

export function createReceiveInvite(deps: Dependencies): ReceiveInvite {
  const { db, rooms, signer } = deps;
  return async ({ origin, roomId, eventId, version, event: given, roomState }) => {
    const rules = findRoomVersion(version);
    if (rules === undefined) throw new MatrixError('room.incompatible-version', { fields: { room_version: version } });
    const signed = signEvent(rules, given, signer.serverName, signer.key);
    const [checked] = await deps.checkPdus(rules, [signed]);
    if (checked?.kind !== 'ok') throw new MatrixError('forbidden', { message: checked?.reason ?? 'No event.' });
    const { event } = checked;
    const userId = event.stateKey ?? '';
    if (event.roomId !== roomId || event.eventId !== eventId) refuse('The event is another one than the path says.');
    if (event.type !== 'm.room.member' || event.content['membership'] !== 'invite') refuse('This is no invitation.');
    if (serverNameOf(event.sender) !== origin) refuse('The sender is not of your server.');
    if (serverNameOf(userId) !== signer.serverName) refuse('Nobody of this server is invited.');
    const account = await findAccount(db, userId);
    if (account === undefined || account.deactivated_at !== null) {
      throw new MatrixError('forbidden', { message: 'There is nobody of this name here.' });
    }
    const room = await rooms.find(roomId, origin);
    if (room?.isAllowed === false)
      throw new MatrixError('forbidden', { message: 'The room does not allow your server.' });
    await deps.inviteRules.refuseBlocked(event.sender, userId);
    // A room that this server is in gets the invitation like any other event.
    if (room?.isOurs !== true) {
      const member = await findMemberEvent(db, roomId, userId);
      await deps.recordRemote({
        rules,
        received: checked,
        previous: member?.membership ?? 'leave',
        strippedState: shownState(roomState, strippedEvent(event)),
      });
    }
    return signed;
  };
}

/** As much of the stripped state as may be shown, and the invitation. */
function shownState(roomState: readonly JsonObject[], invitation: string): string {
  const shown: string[] = [];
  let length = 0;
  for (const value of roomState.slice(0, maxStrippedEvents)) {
    const stripped = parseStrippedStateEvent(value);
    const text = stripped === undefined ? '' : encodeCanonical(stripped, 'lenient');
    length += text.length;
    if (text !== '' && length <= maxStrippedLength) shown.push(text);
  }
  return `[${[...shown, invitation].join(',')}]`;
}

function refuse(message: string): never {
  throw new MatrixError('request.invalid-param', { message });
}
