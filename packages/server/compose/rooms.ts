import { type EventSigner, type ServerName, serverNameOf } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import type { AccountServices } from '../services/accounts/account-services.ts';
import type { AppServices } from '../services/appservices/app-services.ts';
import type { AppServiceQueries } from '../services/appservices/queries.ts';
import type { FederationClient } from '../services/federation/client/federation-client.ts';
import { createAskPolicyServer } from '../services/federation/policy/ask-policy-server.ts';
import { createPushRules, type PushRules } from '../services/push-rules/push-rules.ts';
import type { ReadingContext } from '../services/reading/context.ts';
import { createReading } from '../services/reading/reading.ts';
import { createRoomService } from '../services/rooms/create-room-service.ts';
import type { RemoteRooms } from '../services/rooms/remote-rooms.ts';
import type { RoomParts } from '../services/rooms/room-parts.ts';
import type { RoomService } from '../services/rooms/room-service.ts';
import { createCarryDirectory } from '../services/rooms/upgrade/carry-directory.ts';
import { createCarrySettings } from '../services/rooms/upgrade/carry-settings.ts';
import { createUpgrades, type Upgrades } from '../services/rooms/upgrade/upgrades.ts';
import { createTags, type Tags } from '../services/tags/tags.ts';
import { createUnreadService, type UnreadService } from '../services/unread/unread-service.ts';

type Context = {
  readonly config: Pick<Config, 'rooms' | 'privacy' | 'serverNotices' | 'federation'>;
  readonly db: Database;
  readonly states: StateStore;
  readonly serverName: ServerName;
  readonly signer: EventSigner;
  readonly accounts: Pick<AccountServices, 'accountData' | 'profiles'>;
  /** Whether somebody has a pusher. */
  readonly isPushed: (userId: string) => boolean;
  readonly appServices: AppServices;
  readonly queries: AppServiceQueries;
  readonly client: FederationClient;
  /** Rooms by way of other servers, which are made of these rooms among other things. */
  readonly remote: () => RemoteRooms | undefined;
  readonly now: () => number;
  readonly randomId: () => string;
  readonly log: Logger;
};

export type Rooms = {
  readonly rooms: RoomService & RoomParts;
  readonly reading: ReadingContext;
  readonly unread: UnreadService;
  readonly pushRules: PushRules;
  readonly tags: Tags;
  readonly upgrades: Upgrades;
};

/** Rooms as the people of this server see them: changing and reading them, what is unread, what each has set for them. */
export function createRooms(context: Context): Rooms {
  const { config, db, states, serverName, signer, accounts, isPushed, appServices, queries } = context;
  const { client, remote, now, randomId, log } = context;
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
  const carryDirectory = createCarryDirectory({
    db,
    readState: (roomNid, entries) => rooms.readState(roomNid, entries),
    onFailure: (error) => log.warn({ error }, 'Carrying the aliases of a room over to its successor failed'),
  });
  const profileOf = async (userId: string) => {
    await queries.ensureUser(userId);
    return accounts.profiles.memberProfile(userId);
  };
  const reading = createReading({
    db,
    states,
    now,
    invitePolicy: config.privacy.invites,
    noticesUser: `@${config.serverNotices.user}:${serverName}`,
    isOwn: (userId) => serverNameOf(userId) === serverName,
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
    remote,
    profileOf,
    async carryOver(userId, from, to) {
      await carrySettings(userId, from, to);
      await carryDirectory(from, to);
    },
    ...(config.federation.enabled && { askPolicyServer: createAskPolicyServer({ client, now }) }),
    inviteRules: reading.inviteRules,
    onlyAdminsPublish: config.rooms.publication === 'admins',
    checkAlias: appServices.checkAlias,
    makeAlias: queries.makeAlias,
  });
  const { writer, newRooms, readState, resolve } = rooms;
  const upgrades = createUpgrades({ db, writer, newRooms, readState, resolve, serverName, profileOf, carrySettings });
  return { rooms, reading, unread, pushRules, tags, upgrades };
}
