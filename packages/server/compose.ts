import { randomBytes } from 'node:crypto';
import { aboutServer } from './compose/about-server.ts';
import { createAccountChanges } from './compose/account-changes.ts';
import { createAccounts } from './compose/accounts.ts';
import { createAppServiceParts, createAppServiceQuestions } from './compose/app-services.ts';
import { createApps } from './compose/apps.ts';
import { createCommands } from './compose/commands.ts';
import { createConversation } from './compose/conversation.ts';
import { createDelayedEventParts } from './compose/delayed-events.ts';
import { createDirectoryParts } from './compose/directory.ts';
import { createEdus } from './compose/edus.ts';
import { createEncryption } from './compose/encryption.ts';
import { createRoomsAcrossServers, type RoomsAcrossServers } from './compose/federated-rooms.ts';
import { openFoundations } from './compose/foundations.ts';
import { createMailParts } from './compose/mail.ts';
import { openMedia } from './compose/media.ts';
import { createModeration } from './compose/moderation.ts';
import { loadOAuthEndpoints } from './compose/oauth.ts';
import { createPresenceParts } from './compose/presence.ts';
import { createPrivacyParts } from './compose/privacy.ts';
import { createPush } from './compose/push.ts';
import { createRooms } from './compose/rooms.ts';
import { openServerNotices } from './compose/server-notices.ts';
import { createSingleSignOn } from './compose/single-sign-on.ts';
import { createSyncParts } from './compose/sync.ts';
import { createWebParts } from './compose/web.ts';
import type { Composition, CompositionContext } from './process/composition.ts';
import { createAppServices } from './services/appservices/app-services.ts';
import { createLastSeen } from './services/devices/last-seen.ts';
import { createOutbox } from './services/federation/sender/outbox.ts';
import { createMutualRooms } from './services/mutual-rooms/mutual-rooms.ts';
import { createOpenIdTokens } from './services/openid/openid-tokens.ts';
import type { Network } from './services/outbound/network.ts';
import { mergePushes } from './services/presence/federation/pushes.ts';
import { withRemoteProfiles } from './services/profile/remote-profiles.ts';
import { createFirstContacts } from './services/rate-limit/first-contacts.ts';
import { createPushedPeople } from './services/push/pushed-people.ts';
import { createNoteShownInvites } from './services/privacy/shown-invites.ts';
import { noHistory } from './services/reading/history.ts';
import { createReceipts } from './services/receipts/receipts.ts';
import { createStickyUpkeep } from './services/sticky/upkeep.ts';
import { tellOfRequests } from './services/federation/sender/heard-requests.ts';

/** The only place where the parts of the program are put together. */
export async function compose({
  config,
  log,
  metrics,
  signingKey,
  testing = {},
  network,
}: CompositionContext & { readonly network?: Network }): Promise<Composition> {
  const { now = Date.now } = testing;
  const foundations = await openFoundations({ config, log, metrics, signingKey, testing, network, now });
  const { serverName, key, db, federation, reads, states, rateLimiter } = foundations;
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
  const accounts = createAccounts({
    config,
    serverName,
    signingKey,
    db,
    rateLimiter,
    validations: mail.validations,
    identity: federation.identity,
    deviceHooks: encryption.deviceHooks,
    appServices,
    beforeAccountData: createNoteShownInvites({ db, inviteRules: () => reading.inviteRules }),
    now,
  });
  const pushedPeople = await createPushedPeople({
    db,
    onFailure: (error) => log.error({ error }, 'Finding out who has pushers failed'),
  });
  const isPushed = (userId: string) => pushedPeople.has(userId);
  const appServiceQuestions = createAppServiceQuestions({ db, appServices, outbound: federation.outbound, log, now });

  let across: RoomsAcrossServers | undefined;
  const signer = { serverName, key };
  const randomId = () => randomBytes(12).toString('base64url');
  const { rooms, reading, unread, pushRules, tags, upgrades } = createRooms({
    config,
    db,
    states,
    serverName,
    signer,
    accounts,
    isPushed,
    appServices,
    queries: appServiceQuestions.queries,
    client: federation.client,
    remote: () => across?.remote,
    now,
    randomId,
    log,
  });

  const firstContacts = createFirstContacts({ db, rateLimiter });
  const conversation = createConversation({
    db,
    reading,
    serverName,
    federates: config.federation.enabled,
    firstContacts,
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
    after: testing.after,
    randomId,
    log,
    online: () => sync.online,
    outbox,
    firstContacts,
    client: federation.client,
    appServices,
  });
  const acrossServers = createRoomsAcrossServers({
    federation,
    rooms,
    db,
    states,
    unread,
    erasedSenders: reading.erasedSenders,
    rateLimiter,
    inviteRules: reading.inviteRules,
    queries: appServiceQuestions.queries,
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
  if (config.federation.enabled) across = acrossServers;
  acrossServers.resume();

  const push = createPush({
    config,
    signingKey,
    mailer: mail.mailer,
    db,
    reading,
    readState: rooms.readState,
    people: pushedPeople,
    outbound: federation.outbound,
    metrics,
    log,
    now,
    randomId,
  });
  const lastSeen = createLastSeen({ db, now, log });
  const directory = createDirectoryParts({ config, db, serverName, rooms, appServices, remote: reads });

  const keyServices = encryption.services(accounts);
  const readingOn = { ...reading, history: across?.history ?? noHistory };
  const { sync, slidingSync, oldSync, ...syncParts } = createSyncParts({
    db,
    reading: readingOn,
    filters: accounts.filters,
    pushRules,
    streams: [...conversation.streams, ...presenceParts.streams, keyServices.keys.stream],
    metrics,
    now,
  });

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
  const mediaParts = await openMedia({ config, db, serverName, federation, now, log, watch: metrics?.watchCache });
  const privacy = createPrivacyParts({
    config,
    db,
    serverName,
    inviteRules: reading.inviteRules,
    store: mediaParts.store,
    forget(userId) {
      reads?.profiles.forget(userId);
      presenceParts.forget(userId);
    },
    now,
    log,
  });
  const accountJobs = createAccountChanges({
    config,
    db,
    writer: rooms.writer,
    unread,
    inviteRules: reading.inviteRules,
    profiles: accounts.profiles,
    devices: accounts.devices,
    store: mediaParts.store,
    remote: () => across?.remote,
    now,
    log,
  });

  const about = aboutServer(config, now);
  const { discovery } = about;
  const { outbound } = federation;
  const forLogins = { config, db, accounts, appServices, now };
  const singleSignOn = await createSingleSignOn({ ...forLogins, serverName, outbound, log });
  const services = {
    ...accounts,
    ...conversation.services,
    ...directory.services,
    ...mediaParts.services,
    ...push.services,
    ...privacy.services,
    ...appServiceQuestions.services,
    ...federation.services,
    ...acrossServers.services,
    ...keyServices,
    rooms,
    reading: readingOn,
    sync,
    slidingSync,
    oldSync,
    receipts: createReceipts({ db, roomNames: reading.rooms, isPushed, now }),
    delayedEvents: delayed.delayedEvents,
    tags,
    upgrades,
    serverNotices,
    ...createModeration({ db, reading, serverName, now, randomId }),
    localProfiles: accounts.profiles,
    ...(reads && { profiles: withRemoteProfiles(accounts.profiles, reads.profiles, serverName) }),
    mutualRooms: createMutualRooms({ db }),
    openIdTokens: createOpenIdTokens({ db, serverName, now, randomBytes }),
    presence: presenceParts.presence,
    presenceControl: presenceParts.control,
    pushRules,
    ...singleSignOn,
    ...createWebParts(),
    ...about,
  };

  return {
    createApp: createApps({
      config,
      services,
      moreForClients: await loadOAuthEndpoints({ ...forLogins, signingKey, singleSignOn, discovery }),
      authenticator: accounts.accessTokens,
      appServices: appServiceParts.authenticator,
      requestAuth: tellOfRequests(federation.requestAuth, acrossServers.sender),
      rateLimiter,
      catchUp: db.catchUp,
      lastSeen,
      presence: presenceParts.presence,
      metrics,
      log,
      checkResponse: testing.checkResponse,
    }),
    handlers: createCommands({ accounts, serverName, now }),
    async close() {
      await Promise.all([
        delayed.close(),
        stickyUpkeep.close(),
        accountJobs.close(),
        lastSeen.close(),
        acrossServers.close(),
        appServiceParts.close(),
        push.close(),
      ]);
      directory.close();
      await conversation.close();
      await privacy.close();
      await presenceParts.close();
      syncParts.close();
      unread.close();
      pushedPeople.close();
      keyServices.keys.close();
      await encryption.close();
      await mediaParts.close();
      accounts.accessTokens.close();
      mail.close();
      await federation.close();
      await db.close();
    },
  };
}
