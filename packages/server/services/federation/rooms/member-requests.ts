import type { EventSigner, JsonObject } from '@portico/protocol';
import { serverNameOf } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { readPdusById } from '@portico/storage/stores/federation/federation-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { createPacer } from '../../pacer.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import type { ReferenceHashes } from '../../rooms/reference-hashes.ts';
import type { StateEvents } from '../../rooms/state-events.ts';
import type { IngestEvent } from '../receiving/room-inbox.ts';
import { createAcceptMemberEvent, type MemberRequest } from './accept-member-event.ts';
import { createAdmission } from './admission.ts';
import type { CheckPdus } from './check-pdus.ts';
import type { HideErasedProfiles } from './erased-profiles.ts';
import type { FederatedRoom, FederatedRooms } from './federated-rooms.ts';
import { answerJoin } from './join-answer.ts';
import { makeTemplate, type TemplateDependencies } from './template.ts';
import type { TellState } from './told-state.ts';

export type MadeTemplate = { readonly event: JsonObject; readonly version: string };

type TemplateRequest = { readonly origin: string; readonly roomId: string; readonly userId: string };

/** What people of other servers do by way of this one, which is in the room. */
export interface MemberRequests {
  /** For a server that supports these room versions. */
  makeJoin(request: TemplateRequest, versions: readonly string[]): Promise<MadeTemplate>;
  makeKnock(request: TemplateRequest, versions: readonly string[]): Promise<MadeTemplate>;
  makeLeave(request: TemplateRequest): Promise<MadeTemplate>;
  /** The answer, as JSON in pieces. */
  sendJoin(request: MemberRequest, options: { readonly omitMembers: boolean }): Promise<AsyncGenerator<string>>;
  /** What may be shown of the room: events as texts. */
  sendKnock(request: MemberRequest): Promise<readonly string[]>;
  sendLeave(request: MemberRequest): Promise<void>;
}

export type MemberRequestsDependencies = TemplateDependencies & {
  readonly db: Database;
  readonly states: StateStore;
  readonly stateEvents: StateEvents;
  readonly hideErased: HideErasedProfiles;
  readonly readState: ReadState;
  readonly references: ReferenceHashes;
  readonly rooms: FederatedRooms;
  readonly checkPdus: CheckPdus;
  readonly ingest: IngestEvent;
  readonly tellState: TellState;
  readonly signer: EventSigner;
  readonly now: () => number;
};

export function createMemberRequests(deps: MemberRequestsDependencies): MemberRequests {
  const { db, rooms, signer } = deps;
  const pace = createPacer();
  const admit = createAdmission(db, deps.readState, signer.serverName);
  const accept = createAcceptMemberEvent({ ...deps, requireAdmission: admit });

  async function open({ origin, roomId, userId }: TemplateRequest): Promise<FederatedRoom> {
    if (serverNameOf(userId) !== origin) {
      throw new MatrixError('forbidden', { message: 'This is not a person of your server.' });
    }
    return rooms.open(roomId, origin);
  }

  async function openOf(versions: readonly string[], request: TemplateRequest): Promise<FederatedRoom> {
    const room = await open(request);
    const { version } = room.rules;
    if (versions.includes(version)) return room;
    throw new MatrixError('room.incompatible-version', { fields: { room_version: version } });
  }

  const template = ({ roomNid }: FederatedRoom, userId: string, content: JsonObject): Promise<MadeTemplate> =>
    makeTemplate(deps, roomNid, { sender: userId, userId, content });

  return {
    async makeJoin(request, versions) {
      const { userId } = request;
      const room = await openOf(versions, request);
      const authoriser = await admit(room, userId);
      return template(room, userId, {
        membership: 'join',
        ...(authoriser === undefined ? {} : { join_authorised_via_users_server: authoriser }),
      });
    },
    async makeKnock(request, versions) {
      return template(await openOf(versions, request), request.userId, { membership: 'knock' });
    },
    async makeLeave(request) {
      return template(await open(request), request.userId, { membership: 'leave' });
    },
    async sendJoin(request, { omitMembers }) {
      const { rules, roomNid } = await accept(request, 'join');
      const { eventId, body } = request;
      const [stored] = await readPdusById(db, [eventId]);
      if (stored?.state_before === undefined || stored.state_before === null) throw new MatrixError('event.not-found');
      const userId = typeof body['sender'] === 'string' ? body['sender'] : '';
      const join = { roomNid, rules, eventId, userId, pdu: stored.pdu, root: stored.state_before };
      return answerJoin({ ...deps, pace, serverName: signer.serverName }, join, omitMembers);
    },
    async sendKnock(request) {
      const { roomNid } = await accept(request, 'knock');
      return deps.tellState(roomNid);
    },
    async sendLeave(request) {
      await accept(request, 'leave');
    },
  };
}
