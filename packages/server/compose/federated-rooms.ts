import type { EventSigner, ServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { createEntering } from '../services/federation/receiving/entering.ts';
import { createInboundEdus, type EduHandlers } from '../services/federation/receiving/edus.ts';
import { createBudgets } from '../services/federation/receiving/budgets.ts';
import { createOriginQueues } from '../services/federation/receiving/origin-queues.ts';
import type { Outbox } from '../services/federation/sender/outbox.ts';
import { createEndRequests } from '../services/federation/receiving/ended-requests.ts';
import { createHistory } from '../services/federation/history/history.ts';
import { createHistorySource } from '../services/federation/history/history-source.ts';
import { createPastState } from '../services/federation/history/past-state.ts';
import { createIngest } from '../services/federation/receiving/room-inbox.ts';
import { createInboundRedactions } from '../services/federation/receiving/inbound-redactions.ts';
import { createLeap } from '../services/federation/receiving/leap.ts';
import { createFetchMissing } from '../services/federation/receiving/missing-events.ts';
import { createReconsider } from '../services/federation/receiving/reconsider.ts';
import { createStoreOutliers } from '../services/federation/receiving/store-outliers.ts';
import { createLateEvents } from '../services/federation/receiving/late-events.ts';
import { createInboundTransactions, type InboundTransactions } from '../services/federation/receiving/transactions.ts';
import { createCheckPdus } from '../services/federation/rooms/check-pdus.ts';
import { createDirectoryQueries, type DirectoryQueries } from '../services/federation/rooms/directory-queries.ts';
import { createHideErasedProfiles } from '../services/federation/rooms/erased-profiles.ts';
import { createEventQueries, type EventQueries } from '../services/federation/rooms/event-queries.ts';
import { createFederatedRooms } from '../services/federation/rooms/federated-rooms.ts';
import { createReceiveInvite, type ReceiveInvite } from '../services/federation/rooms/incoming-invites.ts';
import { createOutgoingInvites } from '../services/federation/rooms/outgoing-invites.ts';
import { createMemberRequests, type MemberRequests } from '../services/federation/rooms/member-requests.ts';
import { createRemoteRooms } from '../services/federation/rooms/remote-rooms.ts';
import { createFilterToldState } from '../services/federation/rooms/shown-state.ts';
import { createTellState } from '../services/federation/rooms/told-state.ts';
import { createThirdPartyInvites, type ThirdPartyInvites } from '../services/federation/rooms/third-party-invites.ts';
import { createSendFirst } from '../services/federation/sender/create-send-first.ts';
import { createSender, type FederationSender } from '../services/federation/sender/sender.ts';
import { createStickyArrivals } from '../services/federation/sender/sticky-arrivals.ts';
import type { RateLimiter } from '../services/rate-limit/rate-limiter.ts';
import type { ErasedSenders } from '../services/reading/erased-senders.ts';
import type { AppServiceQueries } from '../services/appservices/queries.ts';
import type { InviteRules } from '../services/privacy/invite-rules.ts';
import type { History } from '../services/reading/history.ts';
import type { RemoteRooms } from '../services/rooms/remote-rooms.ts';
import type { RoomParts } from '../services/rooms/room-parts.ts';
import type { RoomService } from '../services/rooms/room-service.ts';
import { createCreateInviting, type CreateInviting } from '../services/identity/create-inviting.ts';
import { createRequireValidKey } from '../services/identity/key-validity.ts';
import { createInviteAddress, type InviteAddress } from '../services/identity/invite-address.ts';
import type { UnreadService } from '../services/unread/unread-service.ts';
import type { Federation } from './federation.ts';

type Context = {
  readonly federation: Federation;
  readonly rooms: RoomParts & Pick<RoomService, 'create' | 'invite' | 'setState'>;
  readonly db: Database;
  readonly states: StateStore;
  readonly unread: UnreadService;
  readonly inviteRules: InviteRules;
  readonly queries: AppServiceQueries;
  readonly erasedSenders: ErasedSenders;
  readonly rateLimiter: Pick<RateLimiter, 'take'>;
  readonly signer: EventSigner;
  readonly serverName: ServerName;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomId: () => string;
  readonly outbox: Outbox;
  readonly metrics: Metrics | undefined;
  readonly eduHandlers: EduHandlers;
};

export type RoomsAcrossServers = {
  readonly remote: RemoteRooms;
  readonly history: History;
  readonly sender: FederationSender;
  readonly services: {
    readonly memberRequests: MemberRequests;
    readonly inboundTransactions: InboundTransactions;
    readonly directoryQueries: DirectoryQueries;
    readonly eventQueries: EventQueries;
    readonly receiveInvite: ReceiveInvite;
    readonly thirdPartyInvites: ThirdPartyInvites;
    readonly inviteAddress: InviteAddress;
    readonly createInviting: CreateInviting;
    readonly serverName: string;
  };
  /** Begins to finish what a process before this one could not. */
  resume(): void;
  close(): Promise<void>;
};

/** Rooms that this server shares with others. */
export function createRoomsAcrossServers(context: Context): RoomsAcrossServers {
  const {
    federation,
    rooms: parts,
    db,
    states,
    unread,
    signer,
    serverName,
    log,
    now,
    randomId,
    outbox,
    metrics,
  } = context;
  const { client } = federation;
  const { readState, references, receiver, importing, joinImported, recordRemote } = parts;
  const { stateEvents } = importing;
  const rooms = createFederatedRooms(db, serverName);
  const hideErased = createHideErasedProfiles({ erased: context.erasedSenders, serverName });
  const checkPdus = createCheckPdus(federation.verifyEvents);
  const outliers = createStoreOutliers(importing);
  const redactions = createInboundRedactions({
    db,
    rooms,
    serverName,
    receiver,
    readState,
    stateEvents,
    unread,
    now,
    log,
  });
  const source = createHistorySource({ client, checkPdus });
  const leap = createLeap({ source, pastState: createPastState({ source, importing }), importing, outliers });
  const budgets = createBudgets(serverName);
  const ingest = createIngest({
    costs: parts.costs,
    budgets,
    receiver,
    redactions,
    fetchMissing: createFetchMissing({ db, client, checkPdus, source, leap, outliers, serverName, now }),
  });
  const late = createLateEvents({ db, rooms, ingest, log });
  const filterToldState = createFilterToldState(checkPdus);
  const tellState = createTellState({ db, readState });
  const entering = createEntering();
  const shared = {
    db,
    rooms,
    checkPdus,
    readState,
    ingest,
    filterToldState,
    tellState,
    entering,
    signer,
    log,
    now,
    randomId,
  };
  const templates = { states, stateEvents, references, merger: parts.merger };
  const invite = createOutgoingInvites({ ...shared, ...templates, client, signByPolicy: parts.signByPolicy });
  const federationSender = createSender({
    db,
    client,
    outbox,
    serverName,
    // On SQLite one process owns the data folder.
    process: db.kind === 'sqlite' ? 'only' : randomId(),
    isShared: db.kind !== 'sqlite',
    log,
    now,
    random: Math.random,
    randomId,
    observeLag: metrics?.federation.observeLag,
  });
  const reconsider = createReconsider({ db, rooms, ingest, now, log });
  const stickyArrivals = createStickyArrivals({ db, now, log });
  metrics?.federation.watchReceiving({ resolving: () => parts.costs.total, held: budgets.overdrawn });
  metrics?.federation.watch({
    states: federationSender.states,
    queuedEvents: federationSender.queuedEvents,
    queuedEdus: () => outbox.size,
  });
  const inviteAddress = createInviteAddress({ identity: federation.identity, rooms: parts });
  return {
    sender: federationSender,
    history: createHistory({
      rooms,
      redactions,
      importing,
      serverName,
      log,
      now,
      source,
      merger: parts.merger,
    }),
    remote: createRemoteRooms({
      ...shared,
      client,
      joinImported,
      recordRemote,
      invite,
      beginSendFirst: createSendFirst({ db, serverName, sender: federationSender }),
    }),
    services: {
      memberRequests: createMemberRequests({ ...shared, ...templates, hideErased }),
      inboundTransactions: createInboundTransactions({
        ...shared,
        endRequests: createEndRequests({ db, checkPdus, recordRemote, serverName }),
        edus: createInboundEdus({ handlers: context.eduHandlers, log }),
        origins: createOriginQueues(),
        late,
      }),
      directoryQueries: createDirectoryQueries(db, serverName),
      eventQueries: createEventQueries({
        db,
        states,
        stateEvents,
        hideErased,
        rooms,
        erased: context.erasedSenders,
        now,
      }),
      receiveInvite: createReceiveInvite({
        ...shared,
        recordRemote,
        inviteRules: context.inviteRules,
        ensureUser: context.queries.ensureUser,
        rateLimiter: context.rateLimiter,
        log,
      }),
      inviteAddress,
      createInviting: createCreateInviting({ rooms: parts, inviteAddress }),
      thirdPartyInvites: createThirdPartyInvites({
        ...shared,
        client,
        writer: parts.writer,
        locate: parts.locate,
        invite,
        inviteRules: context.inviteRules,
        requireValidKey: createRequireValidKey(federation.outbound),
      }),
      serverName,
    },
    resume() {
      redactions.resume().catch((error: unknown) => log.warn({ error }, 'Old redactions could not be looked for'));
      late
        .resume()
        .catch((error: unknown) => log.warn({ error }, 'Events of before the start could not be looked for'));
    },
    async close() {
      redactions.close();
      late.close();
      await Promise.all([reconsider.close(), stickyArrivals.close()]);
      await federationSender.close();
    },
  };
}
