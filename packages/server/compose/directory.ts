import type { ServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { Config } from '../config/config.ts';
import type { AppServices } from '../services/appservices/app-services.ts';
import { createDirectoryIndex } from '../services/directory/directory-index.ts';
import { createNetworkDirectories, type NetworkDirectories } from '../services/directory/network-directories.ts';
import { createRoomDirectory, type RoomDirectory } from '../services/directory/room-directory.ts';
import { createRoomSummaries } from '../services/directory/room-summaries.ts';
import { type Aliases, createAliases } from '../services/rooms/aliases/aliases.ts';
import type { RoomParts } from '../services/rooms/room-parts.ts';
import type { HierarchyDependencies } from '../services/spaces/hierarchy.ts';
import { noRemoteSpaces } from '../services/spaces/remote-spaces.ts';
import type { ServerReads } from './server-reads.ts';

type Context = {
  readonly config: Pick<Config, 'rooms'>;
  readonly db: Database;
  readonly serverName: ServerName;
  readonly rooms: RoomParts;
  readonly appServices: AppServices;
  /** What other servers tell; absent where this server talks to none. */
  readonly remote: ServerReads | undefined;
};

export type DirectoryParts = {
  readonly services: {
    readonly aliases: Aliases;
    readonly directory: RoomDirectory;
    readonly networks: NetworkDirectories;
    readonly spaces: HierarchyDependencies;
  };
  close(): void;
};

/** How rooms are found: by their aliases, in directories, in spaces. */
export function createDirectoryParts({ config, db, serverName, rooms, appServices, remote }: Context): DirectoryParts {
  const { writer, readState, resolve, locate } = rooms;
  const index = createDirectoryIndex(db);
  const hasService = (id: string) => appServices.find(id) !== undefined;
  const networks = createNetworkDirectories({ db, resolve, hasService });
  const summaries = createRoomSummaries(db);
  return {
    services: {
      aliases: createAliases({ db, writer, readState, resolve, locate, serverName, appServices }),
      networks,
      directory: createRoomDirectory({
        db,
        index,
        networks,
        readState,
        resolve,
        serverName,
        policy: config.rooms.publication,
        remote: remote?.directory,
      }),
      spaces: { db, summaries, serverName, locate, remote: remote?.spaces ?? noRemoteSpaces },
    },
    close() {
      index.close();
      networks.close();
      summaries.close();
    },
  };
}
