import type { AccountServices } from '../../services/accounts/account-services.ts';
import type { Presence } from '../../services/presence/presence.ts';
import type { Unsubscribe } from '../../services/push/unsubscribe.ts';
import type { Notifications } from '../../services/push/notifications.ts';
import type { Pushers } from '../../services/push/pushers.ts';
import type { PushRules } from '../../services/push-rules/push-rules.ts';
import type { KeyBackup } from '../../services/keys/key-backup.ts';
import type { DehydratedDevices } from '../../services/keys/dehydrated-devices.ts';
import type { Keys } from '../../services/keys/keys.ts';
import type { HistoryContext } from '../../services/reading/context.ts';
import type { Receipts } from '../../services/receipts/receipts.ts';
import type { RoomService } from '../../services/rooms/room-service.ts';
import type { Search } from '../../services/search/search.ts';
import type { SlidingSync } from '../../services/sliding-sync/sliding-sync.ts';
import type { Sync } from '../../services/sync/sync.ts';
import type { ToDevice } from '../../services/to-device/to-device.ts';
import type { ThreadSubscriptions } from '../../services/thread-subscriptions/thread-subscriptions.ts';
import type { Typing } from '../../services/typing/typing.ts';
import type { UserDirectory } from '../../services/user-directory/user-directory.ts';
import type { DelayedEvents } from '../../services/delayed-events/delayed-events.ts';
import type { MutualRooms } from '../../services/mutual-rooms/mutual-rooms.ts';
import type { OldSync } from '../../services/old-sync/old-sync.ts';
import type { NetworkDirectories } from '../../services/directory/network-directories.ts';
import type { RoomDirectory } from '../../services/directory/room-directory.ts';
import type { OpenIdTokens } from '../../services/openid/openid-tokens.ts';
import type { Reports } from '../../services/reporting/reports.ts';
import type { Aliases } from '../../services/rooms/aliases/aliases.ts';
import type { Upgrades } from '../../services/rooms/upgrade/upgrades.ts';
import type { HierarchyDependencies } from '../../services/spaces/hierarchy.ts';
import type { Tags } from '../../services/tags/tags.ts';
import type { Endpoint } from '../endpoint.ts';
import { deleteAccountData, deleteAccountDataPerRoom } from './account-data/delete-account-data.ts';
import { appServiceEndpoints, type AppServiceServices } from './appservice/index.ts';
import { defineFilter } from './account-data/define-filter.ts';
import { getAccountDataPerRoom } from './account-data/get-account-data-per-room.ts';
import { getAccountData } from './account-data/get-account-data.ts';
import { getFilter } from './account-data/get-filter.ts';
import { setAccountDataPerRoom } from './account-data/set-account-data-per-room.ts';
import { setAccountData } from './account-data/set-account-data.ts';
import { delayedEventEndpoints } from './delayed-events/index.ts';
import { accountEndpoints } from './accounts/index.ts';
import { deviceEndpoints } from './devices/index.ts';
import { presenceEndpoints } from './presence/index.ts';
import { privacyEndpoints, type PrivacyServices } from './privacy/index.ts';
import { profileEndpoints } from './profile/index.ts';
import { directoryEndpoints } from './directory/index.ts';
import type { BaseUrl } from './discovery/base-url.ts';
import { callEndpoints, type Calls } from './calls/index.ts';
import { getSupport, type Support } from './discovery/get-support.ts';
import { getCapabilities, type RoomVersionSupport } from './discovery/get-capabilities.ts';
import { getClientWellKnown } from './discovery/get-client-well-known.ts';
import { getServerWellKnown } from './discovery/get-server-well-known.ts';
import { getVersions } from './discovery/get-versions.ts';
import { keyEndpoints } from './keys/index.ts';
import { mediaEndpoints, type MediaServices } from './media/index.ts';
import { moderationEndpoints } from './moderation/index.ts';
import { getMutualRooms } from './mutual-rooms/get-mutual-rooms.ts';
import { oldSyncEndpoints } from './old-sync/index.ts';
import { pushEndpoints } from './push/index.ts';
import { pushRuleEndpoints } from './push-rules/index.ts';
import { readingEndpoints } from './reading/index.ts';
import { receiptEndpoints } from './receipts/index.ts';
import { reportingEndpoints } from './reporting/index.ts';
import { relationEndpoints } from './relations/index.ts';
import type { ThirdPartyInvites } from '../../services/federation/rooms/third-party-invites.ts';
import type { CreateInviting } from '../../services/identity/create-inviting.ts';
import type { InviteAddress } from '../../services/identity/invite-address.ts';
import { roomEndpoints } from './rooms/index.ts';
import { search } from './search/search.ts';
import { spaceEndpoints } from './spaces/index.ts';
import { slidingSync } from './sync/sliding-sync.ts';
import { ssoEndpoints } from './sso/index.ts';
import type { SsoServices } from './sso/services.ts';
import { sync } from './sync/sync.ts';
import { sendToDevice } from './to-device/send-to-device.ts';
import { setTyping } from './typing/set-typing.ts';
import { searchUserDirectory } from './user-directory/search-user-directory.ts';
import { threadSubscriptionEndpoints } from './thread-subscriptions/index.ts';
import { tagEndpoints } from './tags/index.ts';

/** The services that the endpoints of the client-server API are made of. */
export type ClientServices = AccountServices &
  SsoServices &
  AppServiceServices &
  MediaServices &
  PrivacyServices & {
    readonly discovery: BaseUrl;
    readonly hasQrLogin: boolean;
    readonly calls: Calls;
    readonly support: Support;
    readonly roomVersions: RoomVersionSupport;
    readonly rooms: RoomService;
    readonly aliases: Aliases;
    readonly directory: RoomDirectory;
    readonly networks: NetworkDirectories;
    readonly spaces: HierarchyDependencies;
    readonly upgrades: Upgrades;
    readonly tags: Tags;
    readonly reports: Reports;
    readonly openIdTokens: OpenIdTokens;
    readonly createInviting: CreateInviting;
    readonly thirdPartyInvites: Pick<ThirdPartyInvites, 'claim'>;
    readonly inviteAddress: InviteAddress;
    readonly reading: HistoryContext;
    readonly sync: Sync;
    readonly oldSync: OldSync;
    readonly delayedEvents: DelayedEvents;
    readonly mutualRooms: MutualRooms;
    readonly slidingSync: SlidingSync;
    readonly receipts: Receipts;
    readonly pushRules: PushRules;
    readonly pushers: Pushers;
    readonly notifications: Notifications;
    readonly unsubscribe: Unsubscribe;
    readonly presence: Presence;
    readonly typing: Typing;
    readonly toDevice: ToDevice;
    readonly threadSubscriptions: ThreadSubscriptions;
    readonly keys: Keys;
    readonly keyBackup: KeyBackup;
    readonly dehydratedDevices: DehydratedDevices;
    readonly search: Search;
    readonly userDirectory: UserDirectory;
  };

/** Every endpoint of the client-server API. */
export const clientEndpoints: readonly Endpoint<ClientServices>[] = [
  getVersions,
  getClientWellKnown,
  getServerWellKnown,
  getSupport,
  getCapabilities,

  ...accountEndpoints,
  ...ssoEndpoints,
  ...deviceEndpoints,
  ...moderationEndpoints,
  ...profileEndpoints,
  ...privacyEndpoints,

  setAccountData,
  getAccountData,
  setAccountDataPerRoom,
  getAccountDataPerRoom,
  deleteAccountData,
  deleteAccountDataPerRoom,
  defineFilter,
  getFilter,

  ...roomEndpoints,
  ...delayedEventEndpoints,
  ...directoryEndpoints,
  ...appServiceEndpoints,
  ...spaceEndpoints,
  ...tagEndpoints,
  ...reportingEndpoints,
  ...readingEndpoints,
  ...oldSyncEndpoints,
  getMutualRooms,
  ...receiptEndpoints,
  ...pushRuleEndpoints,
  ...pushEndpoints,
  ...relationEndpoints,
  ...threadSubscriptionEndpoints,
  ...callEndpoints,
  ...presenceEndpoints,
  setTyping,
  sendToDevice,
  ...keyEndpoints,
  search,
  searchUserDirectory,
  ...mediaEndpoints,
  sync,
  slidingSync,
];
