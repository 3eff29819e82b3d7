import { isJsonObject, roomVersions, type ServerName } from '@portico/protocol';
import { refuseBlocked } from '@portico/storage/stores/rooms/blocked-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { makeJoin, sendJoin } from '../../../federation-api/membership.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { JoinedRoom } from '../../rooms/importing/join-imported.ts';
import { UnusableState } from '../../rooms/importing/import-room.ts';
import type { RemoteJoin } from '../../rooms/remote-rooms.ts';
import type { ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { asObject, type ListedObject, readLists } from '../client/read-lists.ts';
import type { IngestEvent } from '../receiving/room-inbox.ts';
import type { CheckPdus } from './check-pdus.ts';
import type { CompleteEvent } from './complete-event.ts';
import type { FederatedRoom } from './federated-rooms.ts';
import type { JoinUnderWay } from './joins-under-way.ts';
import type { SendFirst } from './send-first.ts';
import { createStateCheck } from './state-check.ts';
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
  enter(server: ServerName, request: RemoteJoin, underWay: JoinUnderWay, sendFirst: SendFirst): Promise<void>;
  /** A room that this server is in, and whose rules let nobody of this server admit the person. */
  join(
    server: ServerName,
    request: RemoteJoin,
    room: FederatedRoom,
    underWay: JoinUnderWay,
    sendFirst: SendFirst,
  ): Promise<void>;
}

const lists: ReadonlySet<string> = new Set(['state', 'auth_chain']);

export function createJoinThrough(deps: Dependencies): JoinThrough {
  const { client, checkPdus, complete, joinImported, ingest, log } = deps;

  async function makeEvent(server: ServerName, { userId, roomId, content }: RemoteJoin, sendFirst: SendFirst) {
    await sendFirst(server, roomId);
    const template = await client.call(makeJoin, server, {
      params: { roomId, userId },
      query: { ver: roomVersions.map(({ version }) => version) },
    });
    return complete(template, { roomId, userId, membership: 'join', content });
  }

  /** Sends the event, and gives it as the other server has it. What is said of the room's state goes to `take`. */
  async function sendEvent(
    server: ServerName,
    roomId: string,
    { rules, pdu, parsed }: Awaited<ReturnType<typeof makeEvent>>,
    underWay: JoinUnderWay,
    take: (objects: readonly ListedObject[]) => Promise<void> | void,
  ): Promise<ReceivedEvent> {
    const input = { params: { roomId, eventId: parsed.eventId }, query: {}, body: pdu };
    await underWay.ask(server, parsed.eventId);
    const answer = await client.open(sendJoin, server, input).catch((error: unknown) => {
      underWay.failed(server, error);
      throw error;
    });
    const rest = await readLists(answer, lists, asObject, take);
    const [join] = await checkPdus(rules, [isJsonObject(rest['event']) ? rest['event'] : pdu]);
    if (join?.kind !== 'ok' || join.event.eventId !== parsed.eventId) {
      throw new UnusableAnswer('The answer has another event than was sent');
    }
    return join;
  }

  return {
    async enter(server, request, underWay, sendFirst) {
      const { roomId } = request;
      const made = await makeEvent(server, request, sendFirst);
      const { rules } = made;
      log.info({ roomId, server }, 'Joining a room: waiting for its state');
      const checking = createStateCheck(checkPdus, rules);
      const join = await sendEvent(server, roomId, made, underWay, checking.take);
      log.info({ roomId, server }, 'Joining a room: checking its state');
      const { state, authChain } = await checking.finish();
      if (!isOfVersion(state, rules.version)) throw new UnusableAnswer('The room is of another version');
      const joined = joinImported({
        given: { rules, roomId, state, authChain },
        join,
        alongside(set) {
          underWay.settle(set);
          refuseBlocked(set, roomId);
        },
        progress: (stored, all) => log.info({ roomId, stored, all }, 'Joining a room: storing its state'),
      });
      await joined.catch((error: unknown) => {
        throw error instanceof UnusableState ? new UnusableAnswer(error.message) : error;
      });
      log.info({ roomId, server, events: state.length }, 'Joined a room');
    },
    async join(server, request, room, underWay, sendFirst) {
      const made = await makeEvent(server, request, sendFirst);
      if (made.rules !== room.rules) throw new UnusableAnswer('The room is of another version');
      // What the room's state is, is known here already.
      const join = await sendEvent(server, request.roomId, made, underWay, () => undefined);
      const outcome = await ingest(room, join, server);
      if (outcome.kind === 'rejected' || outcome.kind === 'soft-failed') {
        throw new MatrixError('forbidden', { message: outcome.reason });
      }
    },
  };
}

function isOfVersion(state: readonly ReceivedEvent[], version: string): boolean {
  const create = state.find(({ event }) => event.type === 'm.room.create' && event.stateKey === '');
  return create !== undefined && (create.event.content['room_version'] ?? '1') === version;
}
