import type { JsonObject } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { AppServices } from '../appservices/app-services.ts';
import { createOpenIdTokens, type OpenIdTokens } from '../openid/openid-tokens.ts';
import type { RoomNames } from '../reading/room-names.ts';
import { createReports, type Reports } from '../reporting/reports.ts';
import { type Aliases, createAliases } from '../rooms/aliases/aliases.ts';
import type { RoomParts } from '../rooms/room-parts.ts';
import { createUpgrades, type Upgrades } from '../rooms/upgrade/upgrades.ts';
import type { HierarchyDependencies } from '../spaces/hierarchy.ts';
import { noRemoteSpaces, type RemoteSpaces } from '../spaces/remote-spaces.ts';
import type { Tags } from '../tags/tags.ts';
import { createDirectoryIndex } from './directory-index.ts';
import { createRoomDirectory, type PublicationPolicy, type RoomDirectory } from './room-directory.ts';
import type { RemoteDirectory } from './remote-directory.ts';
import { createNetworkDirectories, type NetworkDirectories } from './network-directories.ts';
import { createRoomSummaries } from './room-summaries.ts';

/** What is around rooms: finding them, sorting them, replacing them, complaining about them. */
export type RoomBreadth = {
  readonly aliases: Aliases;
  readonly directory: RoomDirectory;
  readonly networks: NetworkDirectories;
  readonly spaces: HierarchyDependencies;
  readonly upgrades: Upgrades;
  readonly tags: Tags;
  readonly reports: Reports;
  readonly openIdTokens: OpenIdTokens;
};

type Dependencies = {
  readonly db: Database;
  readonly rooms: RoomParts;
  readonly roomNames: RoomNames;
  readonly tags: Tags;
  readonly carrySettings: (userId: string, from: string, to: string) => Promise<void>;
  readonly profileOf: (userId: string) => Promise<JsonObject>;
  readonly serverName: string;
  readonly publication: PublicationPolicy;
  /** What other servers tell; absent where this server talks to none. */
  readonly remote: { readonly directory: RemoteDirectory; readonly spaces: RemoteSpaces } | undefined;
  readonly appServices: AppServices;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

/** All of it, wired together. */
export function createRoomBreadth(deps: Dependencies): RoomBreadth & { close(): void } {
  const { db, rooms, roomNames, tags, carrySettings, profileOf, serverName, publication, remote, now, randomBytes } =
    deps;
  const { appServices } = deps;
  const { writer, newRooms, readState, resolve } = rooms;
  const index = createDirectoryIndex(db);
  const hasService = (id: string) => appServices.find(id) !== undefined;
  const networks = createNetworkDirectories({ db, resolve, hasService });
  const summaries = createRoomSummaries(db);
  return {
    aliases: createAliases({ db, writer, readState, resolve, locate: rooms.locate, serverName, appServices }),
    networks,
    directory: createRoomDirectory({
      db,
      index,
      networks,
      readState,
      resolve,
      serverName,
      policy: publication,
      remote: remote?.directory,
    }),
    spaces: { db, summaries, serverName, locate: rooms.locate, remote: remote?.spaces ?? noRemoteSpaces },
    upgrades: createUpgrades({
      db,
      writer,
      newRooms,
      readState,
      resolve,
      serverName,
      profileOf,
      carrySettings,
    }),
    tags,
    reports: createReports({ db, rooms: roomNames, serverName, now }),
    openIdTokens: createOpenIdTokens({ db, serverName, now, randomBytes }),
    close() {
      index.close();
      networks.close();
      summaries.close();
    },
  };
}
