import { type JsonObject, serverNameOf, signEvent, type EventSigner, type RoomVersionRules } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { readPdusById } from '@portico/storage/stores/federation-rooms.ts';
import { addRelayed } from '@portico/storage/stores/federation-sending.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { findAuthoriser, isRestricted } from '../../rooms/membership/restricted-join.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import type { ReferenceHashes } from '../../rooms/reference-hashes.ts';
import type { StateEvents } from '../../rooms/state-events.ts';
import type { IngestEvent } from '../receiving/ingest.ts';
import type { CheckPdus } from './check-pdus.ts';
import type { FederatedRooms, FederatedRoom } from './federated-rooms.ts';
import { readStatePdus } from './state-before.ts';
import { makeTemplate } from './template.ts';

export type MemberRequest = {
  readonly origin: string;
  readonly roomId: string;
  readonly eventId: string;
  readonly body: JsonObject;
};

/** What people of other servers do by way of this one, which is in the room. */
export interface MemberRequests {
  makeJoin(
    origin: string,
    roomId: string,
    userId: string,
    versions: readonly string[],
  ): Promise<{ readonly event: JsonObject; readonly version: string }>;
  makeLeave(
    origin: string,
    roomId: string,
    userId: string,
  ): Promise<{ readonly event: JsonObject; readonly version: string }>;
  /** The answer, as JSON text. */
  sendJoin(request: MemberRequest): Promise<string>;
  sendLeave(request: MemberRequest): Promise<void>;
}

export type MemberRequestsDependencies = {
  readonly db: Database;
  readonly states: StateStore;
  readonly stateEvents: StateEvents;
  readonly readState: ReadState;
  readonly references: ReferenceHashes;
  readonly rooms: FederatedRooms;
  readonly checkPdus: CheckPdus;
  readonly ingest: IngestEvent;
  readonly signer: EventSigner;
  readonly now: () => number;
};

export function createMemberRequests(deps: MemberRequestsDependencies): MemberRequests {
  const { db, rooms, readState, signer, now } = deps;

  /** Who lets a person into a restricted room that they are not invited to. */
  async function authoriserOf(room: FederatedRoom, userId: string): Promise<string | undefined> {
    const state = await readState(room.roomNid, [
      ['m.room.create', ''],
      ['m.room.join_rules', ''],
      ['m.room.power_levels', ''],
      ['m.room.member', userId],
    ]);
    if (!isRestricted(room.rules, state.state('m.room.join_rules')?.content)) return undefined;
    const membership = state.state('m.room.member', userId)?.content['membership'];
    if (membership === 'invite' || membership === 'join') return undefined;
    const authoriser = await findAuthoriser(db, state, userId);
    if (authoriser === undefined) {
      throw new MatrixError('forbidden', { message: 'You do not belong to any of the required rooms.' });
    }
    return authoriser;
  }

  function requireOwn(origin: string, userId: string): void {
    if (serverNameOf(userId) !== origin) {
      throw new MatrixError('forbidden', { message: 'This is not a person of your server.' });
    }
  }

  /** The event of a request, once it is what the request says it is. */
  async function accept({ origin, roomId, eventId, body }: MemberRequest, membership: string): Promise<FederatedRoom> {
    const room = await rooms.open(roomId, origin);
    const signed = await withOurSignature(room, body);
    const [checked] = await deps.checkPdus(room.rules, [signed]);
    if (checked?.kind !== 'ok') throw new MatrixError('forbidden', { message: checked?.reason ?? 'No event.' });
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
  }

  /** "the resident server MUST sign the event" where one of its people lets the person in. */
  async function withOurSignature(room: FederatedRoom, body: JsonObject): Promise<JsonObject> {
    const { content, sender } = body as { content?: JsonObject; sender?: unknown };
    const authoriser = content?.['join_authorised_via_users_server'];
    if (typeof authoriser !== 'string' || typeof sender !== 'string') return body;
    if (serverNameOf(authoriser) !== signer.serverName) return body;
    await authoriserOf(room, sender);
    return signEvent(room.rules, body, signer.serverName, signer.key);
  }

  return {
    async makeJoin(origin, roomId, userId, versions) {
      requireOwn(origin, userId);
      const room = await rooms.open(roomId, origin);
      const { version } = room.rules;
      if (!versions.includes(version)) {
        throw new MatrixError('room.incompatible-version', { fields: { room_version: version } });
      }
      const authoriser = await authoriserOf(room, userId);
      const content = {
        membership: 'join',
        ...(authoriser === undefined ? {} : { join_authorised_via_users_server: authoriser }),
      };
      return makeTemplate(deps, room.roomNid, { sender: userId, userId, content });
    },
    async makeLeave(origin, roomId, userId) {
      requireOwn(origin, userId);
      const room = await rooms.open(roomId, origin);
      return makeTemplate(deps, room.roomNid, { sender: userId, userId, content: { membership: 'leave' } });
    },
    async sendJoin(request) {
      const { rules } = await accept(request, 'join');
      const [stored] = await readPdusById(db, [request.eventId]);
      if (stored?.state_before === undefined || stored.state_before === null) throw new MatrixError('event.not-found');
      return joinAnswer(rules, stored.pdu, stored.state_before);
    },
    async sendLeave(request) {
      await accept(request, 'leave');
    },
  };

  async function joinAnswer(rules: RoomVersionRules, event: string, root: number): Promise<string> {
    const { state, authChain } = await readStatePdus(deps, rules, root);
    const origin = JSON.stringify(signer.serverName);
    return `{"auth_chain":[${authChain.join(',')}],"event":${event},"members_omitted":false,"origin":${origin},"state":[${[...state.values()].join(',')}]}`;
  }
}

function refuse(message: string): never {
  throw new MatrixError('request.invalid-param', { message });
}
