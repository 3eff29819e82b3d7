import { isJsonObject, roomVersions, type ServerName } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { makeJoin, sendJoin } from '../../../federation-api/membership.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { JoinedRoom } from '../../rooms/importing/join-imported.ts';
import type { RemoteJoin } from '../../rooms/remote-rooms.ts';
import type { FederationClient } from '../client/federation-client.ts';
import type { IngestEvent } from '../receiving/ingest.ts';
import type { CheckedPdu, CheckPdus } from './check-pdus.ts';
import type { CompleteEvent } from './complete-event.ts';
import type { FederatedRoom } from './federated-rooms.ts';
import { UnusableAnswer } from './through-servers.ts';

type Dependencies = {
  readonly client: FederationClient;
  readonly checkPdus: CheckPdus;
  readonly complete: CompleteEvent;
  readonly joinImported: (joined: JoinedRoom) => Promise<number>;
  readonly ingest: IngestEvent;
  readonly log: Logger;
};

/** Joins a room by way of one server. Throws `FederationError` or `UnusableAnswer` where another one may help. */
export interface JoinThrough {
  /** A room that this server is not in. */
  enter(server: ServerName, request: RemoteJoin): Promise<void>;
  /** A room that this server is in, and whose rules let nobody of this server admit the person. */
  join(server: ServerName, request: RemoteJoin, room: FederatedRoom): Promise<void>;
}

export function createJoinThrough({
  client,
  checkPdus,
  complete,
  joinImported,
  ingest,
  log,
}: Dependencies): JoinThrough {
  async function ask(server: ServerName, { userId, roomId, content }: RemoteJoin) {
    const template = await client.call(makeJoin, server, {
      params: { roomId, userId },
      query: { ver: roomVersions.map(({ version }) => version) },
    });
    const { rules, pdu, parsed } = complete(template, { roomId, userId, membership: 'join', content });
    log.info({ roomId, server }, 'Joining a room: waiting for its state');
    const answer = await client.call(sendJoin, server, {
      params: { roomId, eventId: parsed.eventId },
      query: {},
      body: pdu,
    });
    const [join] = await checkPdus(rules, [isJsonObject(answer.event) ? answer.event : pdu]);
    if (join?.kind !== 'ok' || join.event.eventId !== parsed.eventId) {
      throw new UnusableAnswer('The answer has another event than was sent');
    }
    return { rules, join, answer };
  }

  return {
    async enter(server, request) {
      const { roomId } = request;
      const { rules, join, answer } = await ask(server, request);
      log.info({ roomId, server, events: answer.state.length }, 'Joining a room: checking its state');
      const [state, authChain] = await Promise.all([
        checkPdus(rules, answer.state),
        checkPdus(rules, answer.auth_chain),
      ]);
      const given = { rules, roomId, state: good(state), authChain: good(authChain) };
      if (!isOfVersion(given.state, rules.version)) throw new UnusableAnswer('The room is of another version');
      await joinImported({
        given,
        join,
        progress: (stored, all) => log.info({ roomId, stored, all }, 'Joining a room: storing its state'),
      });
      log.info({ roomId, server }, 'Joined a room');
    },
    async join(server, request, room) {
      const { rules, join } = await ask(server, request);
      if (rules !== room.rules) throw new UnusableAnswer('The room is of another version');
      const outcome = await ingest(room, join, server);
      if (outcome.kind === 'rejected' || outcome.kind === 'soft-failed') {
        throw new MatrixError('forbidden', { message: outcome.reason });
      }
    },
  };
}

function good(checked: Awaited<ReturnType<CheckPdus>>): readonly CheckedPdu[] {
  return checked.filter((each) => each.kind === 'ok');
}

function isOfVersion(state: readonly CheckedPdu[], version: string): boolean {
  const create = state.find(({ event }) => event.type === 'm.room.create' && event.stateKey === '');
  return create !== undefined && (create.event.content['room_version'] ?? '1') === version;
}
