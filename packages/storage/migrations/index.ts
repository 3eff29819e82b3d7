import { foundations } from './0001-foundations.ts';
import { rooms } from './0002-rooms.ts';
import { stateTrieAndChains } from './0003-state-trie-and-chains.ts';
import { accounts } from './0004-accounts.ts';
import { pushRules } from './0005-push-rules.ts';
import { sync } from './0006-sync.ts';
import { media } from './0007-media.ts';
import { accountsBreadth } from './0008-accounts-breadth.ts';
import { roomsBreadth } from './0009-rooms-breadth.ts';
import { conversation } from './0010-conversation.ts';
import { federationBase } from './0011-federation-base.ts';
import { federationRooms } from './0012-federation-rooms.ts';
import { keys } from './0013-keys.ts';
import { federationEdus } from './0014-federation-edus.ts';
import { privacy } from './0015-privacy.ts';
import { joining } from './0016-joining.ts';
import { historyGaps } from './0017-history-gaps.ts';
import { presence } from './0018-presence.ts';
import { moderation } from './0019-moderation.ts';
import { erasure } from './0020-erasure.ts';
import { appServices } from './0021-app-services.ts';
import { remoteKeys } from './0022-remote-keys.ts';
import { serverNotices } from './0023-server-notices.ts';
import { slidingSync } from './0024-sliding-sync.ts';
import { remoteMedia } from './0025-remote-media.ts';
import { dehydratedDevices } from './0026-dehydrated-devices.ts';
import { threadSubscriptions } from './0027-thread-subscriptions.ts';
import { presenceRoomsLeft } from './0028-presence-rooms-left.ts';
import { delayedEvents } from './0029-delayed-events.ts';
import { pushers } from './0030-pushers.ts';
import { urlPreviews } from './0031-url-previews.ts';
import { pushCalls } from './0032-push-calls.ts';
import { thirdPartyIds } from './0033-third-party-ids.ts';
import { membershipsAtOnce } from './0034-memberships-at-once.ts';
import { countsPerPerson } from './0035-counts-per-person.ts';
import { threadSubscribers } from './0036-thread-subscribers.ts';
import { presenceTold } from './0037-presence-told.ts';
import { mainlineJumps } from './0038-mainline-jumps.ts';
import { toDeviceOrdinals } from './0039-to-device-ordinals.ts';
import { fairQueues } from './0040-fair-queues.ts';
import { slidingScopes } from './0041-sliding-scopes.ts';
import { backupCounts } from './0042-backup-counts.ts';
import { fairOutgoingEdus } from './0043-fair-outgoing-edus.ts';
import { finalisedDelayedEvents } from './0044-finalised-delayed-events.ts';
import { stickyEvents } from './0045-sticky-events.ts';
import { oneTimeKeysInOrder } from './0046-one-time-keys-in-order.ts';
import { registrationRequests } from './0047-registration-requests.ts';
import { ownSigningKeys } from './0048-own-signing-keys.ts';
import { parkedDestinations } from './0049-parked-destinations.ts';
import { lateEvents } from './0050-late-events.ts';
import { redactionPower } from './0051-redaction-power.ts';
import { mediaWithoutHashes } from './0052-media-without-hashes.ts';
import { reportsByKind } from './0053-reports-by-kind.ts';
import { textWithNul } from './0054-text-with-nul.ts';
import { administrators } from './0056-administrators.ts';
import { blockedRooms } from './0055-blocked-rooms.ts';
import { quarantinedMedia } from './0057-quarantined-media.ts';
import { accountsByCreation } from './0058-accounts-by-creation.ts';
import { listsInOrder } from './0059-lists-in-order.ts';
import { roomShutdowns } from './0060-room-shutdowns.ts';
import { readableRoomsInDirectory } from './0061-readable-rooms-in-directory.ts';
import { singleSignOn } from './0062-single-sign-on.ts';
import { lastClaimedKeys } from './0063-last-claimed-keys.ts';
import { oauth } from './0064-oauth.ts';
import { rendezvous } from './0065-rendezvous.ts';
import { backChannelLogout } from './0066-back-channel-logout.ts';
import { networksOfLogins } from './0067-networks-of-logins.ts';
import { networksOfClients } from './0068-networks-of-clients.ts';
import { useOfMedia } from './0069-use-of-media.ts';
import { toldStates } from './0070-told-states.ts';
import { invitationsShown } from './0071-invitations-shown.ts';
import type { Migration } from './migration.ts';

export type { Migration } from './migration.ts';

/** Every step of the schema in its order. Append only: a released step never changes, moves or goes. */
export const migrations: readonly Migration[] = [
  foundations,
  rooms,
  stateTrieAndChains,
  accounts,
  pushRules,
  sync,
  media,
  accountsBreadth,
  roomsBreadth,
  conversation,
  federationBase,
  federationRooms,
  keys,
  federationEdus,
  privacy,
  joining,
  historyGaps,
  presence,
  moderation,
  erasure,
  appServices,
  remoteKeys,
  serverNotices,
  slidingSync,
  remoteMedia,
  dehydratedDevices,
  threadSubscriptions,
  presenceRoomsLeft,
  delayedEvents,
  pushers,
  urlPreviews,
  pushCalls,
  thirdPartyIds,
  membershipsAtOnce,
  countsPerPerson,
  threadSubscribers,
  presenceTold,
  mainlineJumps,
  toDeviceOrdinals,
  fairQueues,
  slidingScopes,
  backupCounts,
  fairOutgoingEdus,
  finalisedDelayedEvents,
  stickyEvents,
  oneTimeKeysInOrder,
  registrationRequests,
  ownSigningKeys,
  parkedDestinations,
  lateEvents,
  redactionPower,
  mediaWithoutHashes,
  reportsByKind,
  textWithNul,
  blockedRooms,
  administrators,
  quarantinedMedia,
  accountsByCreation,
  listsInOrder,
  roomShutdowns,
  readableRoomsInDirectory,
  singleSignOn,
  lastClaimedKeys,
  oauth,
  rendezvous,
  backChannelLogout,
  networksOfLogins,
  networksOfClients,
  useOfMedia,
  toldStates,
  invitationsShown,
];
