import { parseServerName, serverNameOf } from '@portico/protocol';
import { emptySharing, parsePresenceSharing } from '@portico/protocol/privacy/presence/sharing.ts';
import type { Database } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import { getVersion } from '../federation-api/version.ts';
import type { FederationClient } from '../services/federation/client/federation-client.ts';
import type { EduHandlers } from '../services/federation/receiving/edus.ts';
import type { Outbox } from '../services/federation/sender/outbox.ts';
import type { AppServices } from '../services/appservices/app-services.ts';
import { createFanOut } from '../services/presence/fan-out.ts';
import { createAwareServers } from '../services/presence/federation/aware-servers.ts';
import { createOutward } from '../services/presence/federation/outward.ts';
import { presenceEdu } from '../services/presence/federation/presence-edu.ts';
import { createReaches } from '../services/presence/federation/reach.ts';
import {
  createPresenceForServices,
  noPresenceForServices,
  type PresenceForServices,
} from '../services/presence/for-app-services.ts';
import { keepStates } from '../services/presence/keep-states.ts';
import { createOwnPeople, type OwnPeople } from '../services/presence/own-people.ts';
import { createPeopleRooms, type PeopleRooms } from '../services/presence/people-rooms.ts';
import { createPolicies, type Policies } from '../services/presence/policies.ts';
import { createPresenceStream } from '../services/presence/presence-stream.ts';
import { createPresence, noPresence, type Presence } from '../services/presence/presence.ts';
import { createRemotePeople, type RemotePeople } from '../services/presence/remote-people.ts';
import { createRoomsLeft } from '../services/presence/rooms-left.ts';
import { type SharedPresence, sharePresence } from '../services/presence/share-presence.ts';
import { createShownMemory } from '../services/presence/shown-memory.ts';
import { createSight } from '../services/presence/sight.ts';
import { createViewers } from '../services/presence/viewers.ts';
import {
  createPresenceControl,
  noPresenceControl,
  type PresenceControl,
} from '../services/privacy/presence-control.ts';
import type { FirstContacts } from '../services/rate-limit/first-contacts.ts';
import type { IgnoredUsers } from '../services/reading/ignored-users.ts';
import type { OnlineIndex } from '../services/sync/online-index.ts';
import type { SyncStream } from '../services/sync/streams.ts';
import { type After, realTimers } from '../services/sync/waiting.ts';

import { program } from './federation.ts';

type Context = {
  readonly config: Config;
  readonly db: Database;
  readonly ignored: IgnoredUsers;
  readonly serverName: string;
  readonly now: () => number;
  readonly randomId: () => string;
  readonly log: Logger;
  /** Of the sync engine, which is made of the streams among other things. */
  readonly online: () => OnlineIndex;
  readonly outbox: Outbox;
  readonly firstContacts: FirstContacts;
  readonly client: FederationClient;
  readonly appServices: AppServices;
  readonly after?: After | undefined;
};

export type PresenceParts = {
  readonly presence: Presence;
  readonly streams: readonly SyncStream[];
  /** Drops what other servers said of somebody. */
  readonly forget: (userId: string) => void;
  readonly eduHandlers: EduHandlers;
  readonly forServices: PresenceForServices;
  readonly control: PresenceControl;
  /** Resolves when what has happened so far has been told, apart from what waits for its time. */
  settled(): Promise<void>;
  close(): Promise<void>;
};

const off: PresenceParts = {
  presence: noPresence,
  streams: [],
  forget: () => undefined,
  eduHandlers: new Map(),
  forServices: noPresenceForServices,
  control: noPresenceControl,
  settled: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Who is online, and who may know. */
export async function createPresenceParts(context: Context): Promise<PresenceParts> {
  const { config, db, ignored, serverName, now, randomId, log, online, after = realTimers } = context;
  if (!config.presence.enabled) return off;
  const isOwn = (userId: string) => serverNameOf(userId) === serverName;
  const own = createOwnPeople({ reader: db, now, after });
  const remote = createRemotePeople({ now, after });
  const rooms = createPeopleRooms(db);
  const policies = createPolicies({ reader: db, ignored, rules: rulesOf(config) });
  const sight = createSight({ isOwn, own, remote, policies, rooms });
  const shown = createShownMemory({
    db,
    onFailure: (error) => log.error({ error }, 'Storing whom people were shown failed'),
  });
  const viewers = createViewers({
    now,
    after,
    wake: (userId) => online().wakeUser(userId),
    isWaking: (userId) => online().isWaking(userId),
    onGrown: shown.grew,
    onShrunk: shown.shrank,
    onAsleep({ userId }) {
      void shown.stored(userId);
      rooms.release(userId);
    },
  });
  const onFailure = (error: unknown) => log.error({ error }, 'Telling people who is online failed');
  const fanOut = createFanOut({
    db,
    serverName,
    isOwn,
    own,
    remote,
    policies,
    rooms,
    sight,
    viewers,
    after,
    onFailure,
  });
  const sharing = sharePresence({ messages: db.messages, own, remote, process: randomId(), now, after });
  const federation = config.federation.enabled
    ? federate(context, { isOwn, own, rooms, policies, remote, take: sharing.receive })
    : undefined;
  const forServices = createPresenceForServices({
    db,
    services: context.appServices.all,
    isOwn,
    own,
    remote,
    policies,
    rooms,
    sight,
    memory: shown,
    now,
  });
  await forServices.restore();
  const states = await keepStates({
    db,
    own,
    after,
    onFailure: (error) => log.error({ error }, 'Storing presence failed'),
  });
  await federation?.outward.restore();
  const roomsLeft = createRoomsLeft({
    db,
    after,
    onFailure: (error) => log.error({ error }, 'Taking rooms out of lists for presence failed'),
  });
  const stop = db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) if (kind === 'account_ended') own.end(String(key));
    }
  });
  const epoch = randomId().replaceAll(/[^0-9A-Za-z]/g, '');
  return {
    presence: createPresence({
      isOwn,
      own,
      rooms,
      sight,
      now,
      async hasAccount(userId) {
        const account = await findAccount(db, userId);
        return account !== undefined && account.deactivated_at === null;
      },
    }),
    streams: [createPresenceStream({ viewers, fanOut, rooms, sight, shown, epoch, now })],
    forget: (userId) => remote.forget(userId),
    eduHandlers: new Map(federation && [['m.presence', federation.handler]]),
    forServices,
    control: createPresenceControl({ db, policies, rooms, sight }),
    async settled() {
      await roomsLeft.settled();
      await fanOut.settled();
      await federation?.outward.settled();
    },
    async close() {
      stop();
      await roomsLeft.close();
      forServices.close();
      sharing.close();
      own.close();
      await federation?.outward.close();
      remote.close();
      viewers.close();
      await fanOut.close();
      rooms.close();
      await states.close();
      await shown.close();
    },
  };
}

type Shared = {
  readonly isOwn: (userId: string) => boolean;
  readonly own: OwnPeople;
  readonly rooms: PeopleRooms;
  readonly policies: Policies;
  readonly remote: RemotePeople;
  readonly take: SharedPresence['receive'];
};

function federate(context: Context, shared: Shared) {
  const { config, db, serverName, now, after = realTimers, log, outbox, client, firstContacts } = context;
  const { rooms, policies, remote, take } = shared;
  const aware = createAwareServers({
    async programOf(host) {
      const name = parseServerName(host);
      return name && (await client.call(getVersion, name, {})).server?.name;
    },
    ownProgram: program.name,
    now,
  });
  const onFailure = (error: unknown) => log.error({ error }, 'Telling other servers who is online failed');
  const outward = createOutward({
    ...shared,
    db,
    reaches: createReaches({ db, serverName, policies, rooms }),
    outbox,
    aware,
    firstContacts,
    withholds: config.privacy.presence.unawareServers === 'withhold',
    now,
    after,
    onFailure,
  });
  return { outward, handler: presenceEdu({ reader: db, serverName, remote, take, rooms, aware, now }) };
}

function rulesOf({ privacy }: Config) {
  const { default: byDefault, overrides } = privacy.presence;
  const parsed = parsePresenceSharing({ ...overrides });
  const isSet = Object.keys(byDefault).length > 0;
  return {
    default: isSet ? parsePresenceSharing({ ...byDefault }) : undefined,
    overrides: parsed.kind === 'lists' ? parsed : emptySharing,
  };
}
