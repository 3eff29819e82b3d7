import type { Notary } from '../../services/federation/keys/notary.ts';
import type { OwnKeys } from '../../services/federation/keys/own-keys.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Program } from '../program.ts';
import { getVersion } from './get-version.ts';
import type { DirectoryQueries } from '../../services/federation/rooms/directory-queries.ts';
import type { InboundTransactions } from '../../services/federation/receiving/transactions.ts';
import type { MemberRequests } from '../../services/federation/rooms/member-requests.ts';
import type { Profiles } from '../../services/profile/profiles.ts';
import type { EventQueries } from '../../services/federation/rooms/event-queries.ts';
import {
  backfill,
  getEvent,
  getEventAuth,
  getMissingEvents,
  getState,
  getStateIds,
  timestampToEvent,
} from './history/events.ts';
import type { ThirdPartyInvites } from '../../services/federation/rooms/third-party-invites.ts';
import type { ReceiveInvite } from '../../services/federation/rooms/incoming-invites.ts';
import { invite, inviteV1 } from './membership/invite.ts';
import { makeKnock, sendKnock } from './membership/knock.ts';
import {
  exchangeThirdPartyInvite,
  onBindThirdPartyIdentifier,
  onBindThirdPartyIdentifierPosted,
} from './membership/third-party-invites.ts';
import { makeJoin, makeLeave } from './membership/make.ts';
import { sendJoin, sendJoinV1, sendLeave, sendLeaveV1 } from './membership/send.ts';
import { getPublicRooms, queryPublicRooms } from './directory/public-rooms.ts';
import { downloadMedia, downloadThumbnail } from './media/download.ts';
import type { Media } from '../../services/media/media-service.ts';
import { getHierarchy } from './spaces/get-hierarchy.ts';
import type { HierarchyDependencies } from '../../services/spaces/hierarchy.ts';
import { getOpenIdUserInfo } from './open-id/get-user-info.ts';
import type { RoomDirectory } from '../../services/directory/room-directory.ts';
import type { OpenIdTokens } from '../../services/openid/openid-tokens.ts';
import { claimUserKeys, getUserDevices, queryUserKeys } from './user-keys/user-keys.ts';
import type { KeysForServers } from '../../services/keys/keys-for-servers.ts';
import { queryDirectory, queryProfile } from './queries/query.ts';
import { sendTransaction } from './transactions/send-transaction.ts';
import { getServerKeyById, getServerKeys } from './keys/get-server-keys.ts';
import { queryManyServerKeys, queryServerKey, queryServerKeys } from './keys/query-server-keys.ts';

/** The services that the endpoints of the server-server API are made of. */
export type FederationServices = {
  readonly ownKeys: OwnKeys;
  readonly notary: Notary;
  readonly program: Program;
  readonly now: () => number;
};

/** What rooms that several servers share take beside that. */
export type RoomFederationServices = {
  readonly memberRequests: MemberRequests;
  readonly inboundTransactions: InboundTransactions;
  readonly directoryQueries: DirectoryQueries;
  readonly eventQueries: EventQueries;
  readonly receiveInvite: ReceiveInvite;
  readonly thirdPartyInvites: ThirdPartyInvites;
  readonly localProfiles: Profiles;
  readonly directory: RoomDirectory;
  readonly showsDirectory: boolean;
  readonly openIdTokens: OpenIdTokens;
  readonly spaces: HierarchyDependencies;
  readonly keysForServers: KeysForServers;
  readonly media: Media;
  readonly serverName: string;
  readonly now: () => number;
};

/** Endpoints about rooms and people. */
export const roomFederationEndpoints: readonly Endpoint<RoomFederationServices>[] = [
  makeJoin,
  makeLeave,
  sendJoin,
  sendJoinV1,
  sendLeave,
  sendLeaveV1,
  makeKnock,
  sendKnock,
  invite,
  inviteV1,
  exchangeThirdPartyInvite,
  onBindThirdPartyIdentifier,
  onBindThirdPartyIdentifierPosted,
  sendTransaction,
  getEvent,
  getState,
  getStateIds,
  getEventAuth,
  backfill,
  getMissingEvents,
  queryDirectory,
  queryProfile,
  getPublicRooms,
  queryPublicRooms,
  getOpenIdUserInfo,
  timestampToEvent,
  getHierarchy,
  getUserDevices,
  queryUserKeys,
  claimUserKeys,
  downloadMedia,
  downloadThumbnail,
];

/** Endpoints about servers themselves. */
export const federationEndpoints: readonly Endpoint<FederationServices>[] = [
  getVersion,
  getServerKeys,
  getServerKeyById,
  queryServerKeys,
  queryServerKey,
  queryManyServerKeys,
];
