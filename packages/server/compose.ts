import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseServerName, roomVersions, serverNameOf, signingKeyFromSeed } from '@portico/protocol';
import { parseFailpoint } from '@portico/storage';
import { openStateStore } from '@portico/storage/state-trie/index.ts';
import { deleteLocalNotificationSettings } from '@portico/storage/stores/local-notification-settings.ts';
import { removePushersOfDevices } from '@portico/storage/stores/pushers.ts';
import { dropConnectionsOf } from '@portico/storage/stores/sliding-connections.ts';
import { createAccountChanges } from './compose/account-changes.ts';
import { createAppServiceParts, createAppServiceQuestions } from './compose/app-services.ts';
import { createFederation, program } from './compose/federation.ts';
import { createRoomsAcrossServers, type RoomsAcrossServers } from './compose/federated-rooms.ts';
import { createPresenceParts } from './compose/presence.ts';
import { secretFor } from './compose/secret-for.ts';
import { createPush } from './compose/push.ts';
import { createRemoteMediaParts } from './compose/remote-media.ts';
import { createServerReads } from './compose/server-reads.ts';
import { createConversation } from './compose/conversation.ts';
import { createEdus } from './compose/edus.ts';
import { createEncryption } from './compose/encryption.ts';
import { createMailParts } from './compose/mail.ts';
import { createCalls } from './compose/calls.ts';
import { composeSlidingSync } from './compose/sliding-sync.ts';
import { createDelayedEventParts } from './compose/delayed-events.ts';
import { openConfiguredDatabase } from './compose/open-database.ts';
import { openServerNotices } from './compose/server-notices.ts';
import { findRefusal } from './errors/from-storage.ts';
import { adminEndpoints } from './http/admin/index.ts';
import { type AppOptions, buildApp } from './http/app.ts';
import { clientEndpoints } from './http/client/index.ts';
import { federationEndpoints, roomFederationEndpoints } from './http/federation/index.ts';
import { openApiEndpoint } from './http/openapi.ts';
import { createRequestIds } from './observability/request-ids.ts';
import { CommandError } from './process/command-error.ts';
import type { CommandHandlers } from './process/command-socket.ts';
import type { Composition, CompositionContext } from './process/composition.ts';
import { createAccountServices } from './services/accounts/account-services.ts';
import { createAppServices } from './services/appservices/app-services.ts';
import { accountCommands } from './services/commands/account-commands.ts';
import { userCommands } from './services/commands/user-commands.ts';
import { createOutbox } from './services/federation/sender/outbox.ts';
import { createAskPolicyServer } from './services/federation/policy/ask-policy-server.ts';
import { openFileStore } from './services/media/file-store.ts';
import { createMediaService } from './services/media/media-service.ts';
import { createLastSeen } from './services/devices/last-seen.ts';
import { withRemoteProfiles } from './services/profile/remote-profiles.ts';
import { createExport } from './services/privacy/export.ts';
import { createInviteControl } from './services/privacy/invite-control.ts';
import { watchDepartures } from './services/privacy/departures.ts';
import { createErasures } from './services/privacy/erasures.ts';
import { createRateLimiter } from './services/rate-limit/rate-limiter.ts';
import { createRoomBreadth } from './services/directory/room-breadth.ts';
import { createReceipts } from './services/receipts/receipts.ts';
import { createRoomService } from './services/rooms/create-room-service.ts';
import { createCarrySettings } from './services/rooms/upgrade/carry-settings.ts';
import { createTags } from './services/tags/tags.ts';
import { createMutualRooms } from './services/mutual-rooms/mutual-rooms.ts';
import { createOldSync } from './services/old-sync/old-sync.ts';
import { mergePushes } from './services/presence/federation/pushes.ts';
import { createNotifications } from './services/push/notifications.ts';
import { createPushedPeople } from './services/push/pushed-people.ts';
import { createPushers } from './services/push/pushers.ts';
import { createPushRules } from './services/push-rules/push-rules.ts';
import { noHistory } from './services/reading/history.ts';
import { createReading } from './services/reading/reading.ts';
import { createAccountDataStream } from './services/sync/streams/account-data.ts';
import { createReceiptStream } from './services/sync/streams/receipts.ts';
import { createStickyStream } from './services/sync/streams/sticky.ts';
import { createSync } from './services/sync/sync.ts';
import type { Network } from './services/outbound/network.ts';
import { createStickyUpkeep } from './services/sticky/upkeep.ts';
import { createUnreadService } from './services/unread/unread-service.ts';

/** Memory for nodes of room states, in bytes. */
const stateCacheBytes = 32 * 1024 * 1024;

/** The only place where the parts of the program are put together. */
export async function compose({
  config,
  log,
  metrics,
  signingKey,
  testing = {},
  network,
}: CompositionContext & { readonly network?: Network }): Promise<Composition> {
  const { now = Date.now, checkResponse } = testing;
  const serverName = parseServerName(config.serverName);
  if (serverName === undefined) throw new Error(`${config.serverName} passed for a server name in the configuration`);
  const { failpoint, maxDatabaseBytes } = config.testing;
  const db = await openConfiguredDatabase({
    url: config.database.url,
    durability: config.durability,
    ...(failpoint !== undefined && { failpoint: parseFailpoint(failpoint) }),
    ...(maxDatabaseBytes !== undefined && { maxBytes: maxDatabaseBytes }),
    log: (level, message, details) => log[level](details ?? {}, message),
    ...(metrics && { metrics: metrics.storage }),
  });
  const key = signingKeyFromSeed(`ed25519:${signingKey.version}`, signingKey.seed);
  const federation = createFederation({ config, serverName, key, db, log, metrics, now, network });
  const reads = config.federation.enabled ? createServerReads({ client: federation.client, now }) : undefined;
  const states = await openStateStore(db, { cacheBytes: stateCacheBytes });
  const rateLimiter = createRateLimiter({ enabled: config.rateLimits.enabled, now: () => performance.now() });
  const appServices = createAppServices(config.applicationServices, serverName);
  const encryption = createEncryption({
    db,
    serverName,
    federates: config.federation.enabled,
    tellsNames: config.federation.deviceNames,
    client: federation.client,
    now,
    log,
  });
  const mail = createMailParts({ config, db, rateLimiter, log, now });
  const accounts = createAccountServices(
    {
      serverName,
      registrationMode: config.registration.mode,
      requiresEmail: config.registration.requireEmail,
      sharedSecret: config.registration.sharedSecret,
      argon2: config.passwords.argon2,
    },
    {
      db,
      rateLimiter,
      validations: mail.validations,
      identity: federation.identity,
      now,
      randomBytes,
      uiaSecret: secretFor(signingKey, 'what authentication sessions were opened for'),
      ...encryption.deviceHooks,
      onDevicesDeleted: [
        ...encryption.deviceHooks.onDevicesDeleted,
        dropConnectionsOf,
        removePushersOfDevices,
        deleteLocalNotificationSettings,
      ],
      appServices,
    },
  );
  const pushedPeople = await createPushedPeople({
    db,
    onFailure: (error) => log.error({ error }, 'Finding out who has pushers failed'),
  });
  const isPushed = (userId: string) => pushedPeople.has(userId);
  const unread = createUnreadService({ db, isLocal: (userId) => serverNameOf(userId) === serverName, isPushed });
  const pushRules = createPushRules({ db, isPushed });
  const tags = createTags({ db });
  const carrySettings = createCarrySettings({
    db,
    accountData: accounts.accountData,
    pushRules,
    tags,
    onFailure: (error) => log.warn({ error }, 'Carrying what somebody had set for a room over to its successor failed'),
  });
  const appServiceQuestions = createAppServiceQuestions({ db, appServices, outbound: federation.outbound, log, now });
  const { queries } = appServiceQuestions;
  const profileOf = async (userId: string) => {
    await queries.ensureUser(userId);
    return accounts.profiles.memberProfile(userId);
  };
  let across: RoomsAcrossServers | undefined;
  const signer = { serverName, key };
  const randomId = () => randomBytes(12).toString('base64url');
  const reading = createReading({
    db,
    states,
    now,
    invitePolicy: config.privacy.invites,
    noticesUser: `@${config.serverNotices.user}:${serverName}`,
  });
  const rooms = createRoomService({
    db,
    states,
    unread,
    signer,
    serverName,
    defaultVersion: config.rooms.defaultVersion,
    now,
    randomId,
    remote: () => across?.remote,
    profileOf,
    carrySettings,
    ...(config.federation.enabled && {
      askPolicyServer: createAskPolicyServer({ client: federation.client, now }),
    }),
    inviteRules: reading.inviteRules,
    onlyAdminsPublish: config.rooms.publication === 'admins',
    checkAlias: appServices.checkAlias,
    makeAlias: queries.makeAlias,
  });
  const conversation = createConversation({
    db,
    reading,
    serverName,
    federates: config.federation.enabled,
    randomId: () => randomBytes(9).toString('base64url'),
    log,
    online: () => sync.online,
  });
  const outbox = createOutbox({ merges: new Map([['m.presence', mergePushes]]) });
  const presenceParts = await createPresenceParts({
    config,
    db,
    ignored: reading.ignored,
    serverName,
    now,
    randomId,
    log,
    online: () => sync.online,
    outbox,
    client: federation.client,
    appServices,
  });
  const { presence } = presenceParts;
  const shared = createRoomsAcrossServers({
    federation,
    rooms,
    db,
    states,
    unread,
    erasedSenders: reading.erasedSenders,
    inviteRules: reading.inviteRules,
    signer,
    serverName,
    log,
    now,
    randomId,
    outbox,
    metrics,
    eduHandlers: new Map([
      ...createEdus({ ...conversation.services, db, serverName, outbox, log, now }),
      ...encryption.eduHandlers,
      ...presenceParts.eduHandlers,
    ]),
  });
  if (config.federation.enabled) across = shared;
  await shared.resume();
  const push = createPush({
    config,
    signingKey,
    mailer: mail.mailer,
    db,
    reading,
    people: pushedPeople,
    outbound: federation.outbound,
    metrics,
    log,
    now,
    randomId,
  });
  const lastSeen = createLastSeen({ db, now, log });
  const breadth = createRoomBreadth({
    db,
    rooms,
    roomNames: reading.rooms,
    tags,
    carrySettings,
    profileOf,
    serverName,
    publication: config.rooms.publication,
    remote: reads,
    appServices,
    now,
    randomBytes,
  });
  const departures = watchDepartures({
    db,
    isOwn: (userId) => serverNameOf(userId) === serverName,
    forget(userId) {
      reads?.profiles.forget(userId);
      presenceParts.forget(userId);
    },
    onFailure: (error) => log.error({ error }, 'Forgetting people who are gone failed'),
  });
  const keyServices = encryption.services(accounts);
  const sync = createSync({
    reading,
    filters: accounts.filters,
    streams: [
      createAccountDataStream({ defaultPushRules: (userId) => pushRules.all(userId) }),
      createReceiptStream(),
      createStickyStream({ ignored: reading.ignored, erasedSenders: reading.erasedSenders, now }),
      ...conversation.streams,
      ...presenceParts.streams,
      keyServices.keys.stream,
    ],
    ...(metrics && { watchCache: metrics.watchCache }),
  });
  const slidingSync = composeSlidingSync({ db, core: sync.core, now });
  metrics?.watchOpenSyncs(() => sync.stats().waiting);
  const delayed = createDelayedEventParts({ db, rooms, reading, signingKey, now, randomId, log });
  const stickyUpkeep = createStickyUpkeep({ db, now, log });
  const serverNotices = await openServerNotices({ config, db, rooms, roomNames: reading.rooms, tags, now });
  const appServiceParts = await createAppServiceParts({
    db,
    appServices,
    client: appServiceQuestions.client,
    typing: conversation.services.typing,
    presence: presenceParts.forServices,
    serverName,
    log,
    now,
    randomId,
  });
  const store = await openFileStore({
    folder: join(config.dataDir, 'media'),
    sync: config.durability === 'full',
    randomBytes,
  });
  await store.clearUnfinished();
  const accountJobs = createAccountChanges({
    config,
    db,
    writer: rooms.writer,
    unread,
    inviteRules: reading.inviteRules,
    profiles: accounts.profiles,
    store,
    remote: () => across?.remote,
    now,
    log,
  });
  const { maxUploadSize, requireAuthentication } = config.media;
  const remoteMedia = createRemoteMediaParts({
    config,
    db,
    store,
    serverName,
    federation,
    now,
    log,
    watch: metrics?.watchCache,
  });
  const { findRemoteMedia, urlPreviews } = remoteMedia;
  const media = createMediaService({
    db,
    store,
    serverName,
    maxUploadSize,
    now,
    randomBytes,
    log,
    ...(findRemoteMedia && { findRemoteMedia }),
  });
  const readingOn = { ...reading, history: across?.history ?? noHistory };
  const services = {
    ...accounts,
    ...conversation.services,
    ...breadth,
    ...appServiceQuestions.services,
    ...federation.services,
    ...shared.services,
    showsDirectory: config.federation.publicRooms,
    localProfiles: accounts.profiles,
    ...(reads && { profiles: withRemoteProfiles(accounts.profiles, reads.profiles, serverName) }),
    rooms,
    reading: readingOn,
    sync,
    oldSync: createOldSync({ reading: readingOn, sync }),
    mutualRooms: createMutualRooms({ db }),
    slidingSync,
    presence,
    presenceControl: presenceParts.control,
    erasures: createErasures(db),
    exportData: createExport({ db, store, now }),
    inviteControl: createInviteControl({
      db,
      inviteRules: reading.inviteRules,
      policy: config.privacy.invites,
      now,
    }),
    ...keyServices,
    pushRules,
    pushers: createPushers({ db, sendsMail: mail.mailer !== undefined, now }),
    unsubscribe: push.unsubscribe,
    notifications: createNotifications({ reading, readState: rooms.readState }),
    serverNotices,
    delayedEvents: delayed.delayedEvents,
    media,
    ...(urlPreviews && { urlPreviews }),
    mediaAccess: { requireAuthentication },
    receipts: createReceipts({ db, roomNames: reading.rooms, isPushed, now }),
    discovery: { publicBaseUrl: config.publicBaseUrl },
    calls: createCalls(config.calls, now),
    support: config.support,
    roomVersions: {
      defaultVersion: config.rooms.defaultVersion,
      versions: roomVersions.map(({ version }) => version),
    },
  };
  const appOptions: AppOptions = {
    log,
    authenticator: accounts.accessTokens,
    ...(appServiceParts.authenticator && { appServices: appServiceParts.authenticator }),
    requestAuth: federation.requestAuth,
    rateLimiter,
    senderLog: {
      note(sender, request, rateLimit) {
        lastSeen.note(sender, request);
        // "A pro-active event may be sending a message to a room"; reading and typing are no less.
        if (rateLimit === 'send' || rateLimit === 'receipt' || rateLimit === 'typing') presence.noteActivity(sender);
      },
    },
    helpPage: config.support.page,
    trustedProxies: config.http.trustedProxies,
    newRequestId: createRequestIds(),
    ...(metrics && { observe: metrics.observeRequest }),
    ...(checkResponse && { checkResponse }),
  };
  return {
    createApp({ serve }, tls) {
      const endpoints = [
        ...(serve.includes('client') ? clientEndpoints : []),
        ...(serve.includes('federation') && config.federation.enabled
          ? [...federationEndpoints, ...roomFederationEndpoints]
          : []),
        ...(serve.includes('admin') ? adminEndpoints : []),
      ];
      return buildApp([...endpoints, openApiEndpoint(endpoints)], services, {
        ...appOptions,
        ...(tls && { tls }),
      });
    },
    handlers: forCommandLine({
      status: async () => ({ ...program, pid: process.pid }),
      ...accountCommands(accounts, now),
      ...userCommands(accounts.care, serverName),
    }),
    async close() {
      await Promise.all([
        delayed.close(),
        stickyUpkeep.close(),
        accountJobs.close(),
        lastSeen.close(),
        shared.close(),
        appServiceParts.close(),
        push.close(),
      ]);
      breadth.close();
      await conversation.close();
      await departures.close();
      await presenceParts.close();
      slidingSync.close();
      sync.close();
      unread.close();
      pushedPeople.close();
      keyServices.keys.close();
      await encryption.close();
      await Promise.all([media.close(), remoteMedia.close()]);
      accounts.accessTokens.close();
      mail.close();
      await federation.close();
      await db.close();
    },
  };
}

/** What a service refuses is an answer that the person at the command line is told. */
function forCommandLine(handlers: CommandHandlers): CommandHandlers {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handle]) => [
      name,
      async (params) => {
        try {
          return await handle(params);
        } catch (error) {
          const refusal = findRefusal(error);
          throw refusal ? new CommandError(refusal.message) : error;
        }
      },
    ]),
  );
}
