import { createWriteSet, type Database } from '@portico/storage';
import {
  findListedAnywhere,
  findNetworkRooms,
  type NetworkKey,
  networkRoomChange,
  readListedAnywhere,
  readNetworkRooms,
  setNetworkRoom,
} from '@portico/storage/stores/app-services/network-rooms.ts';
import { publicationChange } from '@portico/storage/stores/directory/room-directory-write.ts';
import type { RoomParts } from '../rooms/room-parts.ts';
import { createDirectoryIndex, type DirectoryIndex } from './directory-index.ts';

/** The directories that application services keep of the rooms of their networks. */
export interface NetworkDirectories {
  /** The rooms of a network, by the ID under which clients know it; none if there is no such network. */
  find(instanceId: string): DirectoryIndex | undefined;
  /** Those of all networks, and of the server itself. */
  readonly all: DirectoryIndex;
  setListed(key: NetworkKey, roomId: string, isListed: boolean): Promise<void>;
  close(): void;
}

type Dependencies = Pick<RoomParts, 'resolve'> & {
  readonly db: Database;
  readonly hasService: (serviceId: string) => boolean;
};

/** Directories that are kept in memory. */
const maxDirectories = 50;

export function createNetworkDirectories({ db, resolve, hasService }: Dependencies): NetworkDirectories {
  const known = new Map<string, DirectoryIndex>();
  const all = createDirectoryIndex(db, {
    changes: new Set([publicationChange, networkRoomChange]),
    largest: readListedAnywhere,
    among: findListedAnywhere,
  });

  function open(key: NetworkKey): DirectoryIndex {
    return createDirectoryIndex(db, {
      changes: new Set([networkRoomChange]),
      largest: (reader, limit) => readNetworkRooms(reader, key, limit),
      among: (reader, roomNids) => findNetworkRooms(reader, key, roomNids),
    });
  }

  function makePlace(): void {
    const [oldest] = known;
    if (oldest === undefined || known.size < maxDirectories) return;
    known.delete(oldest[0]);
    oldest[1].close();
  }

  return {
    all,
    find(instanceId) {
      const [serviceId, networkId, ...more] = instanceId.split('|').map(decode);
      if (serviceId === undefined || networkId === undefined || more.length > 0 || !hasService(serviceId)) {
        return undefined;
      }
      let index = known.get(instanceId);
      if (index === undefined) {
        index = open({ serviceId, networkId });
        makePlace();
        known.set(instanceId, index);
      }
      return index;
    },
    async setListed(key, roomId, isListed) {
      const { roomNid } = await resolve(roomId);
      const set = createWriteSet();
      setNetworkRoom(set, key, roomNid, isListed);
      await db.commit(set);
    },
    close() {
      all.close();
      for (const index of known.values()) index.close();
    },
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
