import { type EventSigner, isJsonObject, type JsonObject, serverNameOf } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { addRelayed } from '@portico/storage/stores/events/relayed-events.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { IngestEvent } from '../receiving/room-inbox.ts';
import type { CheckPdus } from './check-pdus.ts';
import type { FederatedRoom, FederatedRooms } from './federated-rooms.ts';
import { refuse, refuseUnchecked } from './refuse-event.ts';
import { signGiven } from './sign-given.ts';

export type MemberRequest = {
  readonly origin: string;
  readonly roomId: string;
  readonly eventId: string;
  readonly body: JsonObject;
};

/** Makes the event of a request part of its room, once it is what the request says it is. */
export type AcceptMemberEvent = (
  request: MemberRequest,
  membership: 'join' | 'leave' | 'knock',
) => Promise<FederatedRoom>;

type Dependencies = {
  readonly db: Database;
  readonly rooms: FederatedRooms;
  readonly checkPdus: CheckPdus;
  readonly ingest: IngestEvent;
  readonly signer: EventSigner;
  readonly now: () => number;
  /** Throws if a restricted room's conditions do not admit a person. */
  readonly requireAdmission: (room: FederatedRoom, userId: string) => Promise<unknown>;
};

export function createAcceptMemberEvent(deps: Dependencies): AcceptMemberEvent {
  const { db, rooms, signer, now } = deps;

  /** "the resident server MUST sign the event" where one of its people lets the person in. */
  async function withOurSignature(room: FederatedRoom, body: JsonObject): Promise<JsonObject> {
    const { content, sender } = body;
    const authoriser = isJsonObject(content) ? content['join_authorised_via_users_server'] : undefined;
    if (!room.rules.auth.restrictedJoins || typeof authoriser !== 'string' || typeof sender !== 'string') return body;
    if (serverNameOf(authoriser) !== signer.serverName) {
      refuse('Somebody of another server is to let the person in: ask that one.');
    }
    await deps.requireAdmission(room, sender);
    return signGiven(room.rules, body, signer);
  }

  return async ({ origin, roomId, eventId, body }, membership) => {
    const room = await rooms.open(roomId, origin);
    if (membership === 'knock' && !room.rules.auth.knocking) refuse('The room cannot be knocked on.');
    const signed = membership === 'join' ? await withOurSignature(room, body) : body;
    const [checked] = await deps.checkPdus(room.rules, [signed]);
    if (checked?.kind !== 'ok') refuseUnchecked(checked);
    const { event } = checked;
    if (event.roomId !== roomId) refuse('The event is of another room.');
    if (event.eventId !== eventId) refuse('The event has another ID.');
    if (event.type !== 'm.room.member' || event.stateKey !== event.sender)
      refuse('This is no membership of one’s own.');
    if (event.content['membership'] !== membership) refuse(`The membership is not ${membership}.`);
    if (serverNameOf(event.sender) !== origin) refuse('The sender is not of your server.');
    const set = createWriteSet();
    addRelayed(set, eventId, now());
    await db.commit(set);
    const outcome = await deps.ingest(room, checked, origin);
    if (outcome.kind === 'rejected' || outcome.kind === 'soft-failed') {
      throw new MatrixError('forbidden', { message: outcome.reason });
    }
    return room;
  };
}
