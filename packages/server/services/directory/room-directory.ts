import { createWriteSet, type Database } from '@portico/storage';
import { findPublished } from '@portico/storage/stores/directory/room-directory.ts';
import { addPublishedRoom, removePublishedRoom } from '@portico/storage/stores/directory/room-directory-write.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { maySetCanonicalAlias } from '../rooms/aliases/canonical-alias-power.ts';
import type { RoomParts } from '../rooms/room-parts.ts';
import type { RemoteDirectory } from './remote-directory.ts';
import type { DirectoryIndex } from './directory-index.ts';
import { listPage, type DirectoryQuery } from './list-page.ts';
import type { NetworkDirectories } from './network-directories.ts';

/** Who may list a room: anyone of this server, members with the power to set its canonical alias, or administrators. */
export type PublicationPolicy = 'anyone' | 'members' | 'admins';

type Person = { readonly userId: string; readonly isAdmin: boolean };

/** The rooms that people find. {@link https://spec.matrix.org/v1.19/client-server-api/#published-room-directory} */
export interface RoomDirectory {
  /** A page of the directory, as JSON text. */
  list(query: DirectoryQuery): Promise<string>;
  isPublished(roomId: string): Promise<boolean>;
  setPublished(person: Person, roomId: string, isPublished: boolean): Promise<void>;
}

type Dependencies = Pick<RoomParts, 'readState' | 'resolve'> & {
  readonly db: Database;
  readonly index: DirectoryIndex;
  readonly networks: NetworkDirectories;
  readonly serverName: string;
  readonly policy: PublicationPolicy;
  /** Absent where this server talks to no others. */
  readonly remote: RemoteDirectory | undefined;
};

export function createRoomDirectory({
  db,
  index,
  networks,
  readState,
  resolve,
  serverName,
  policy,
  remote,
}: Dependencies): RoomDirectory {
  async function mayPublish({ userId, isAdmin }: Person, roomNid: number): Promise<boolean> {
    if (isAdmin || policy === 'anyone') return true;
    if (policy === 'admins') return false;
    return maySetCanonicalAlias(readState, roomNid, userId);
  }

  /** "third_party_instance_id: The specific third-party network/protocol to request from the homeserver." */
  function directoryFor({ thirdPartyInstance, allNetworks }: DirectoryQuery): DirectoryIndex | undefined {
    if (thirdPartyInstance !== undefined) return networks.find(thirdPartyInstance);
    return allNetworks === true ? networks.all : index;
  }

  return {
    async list(query) {
      const { server, ...page } = query;
      if (server !== undefined && server !== serverName) {
        if (remote === undefined) throw new MatrixError('federation.failed');
        return remote.list(server, page);
      }
      const chosen = directoryFor(query);
      return listPage((await chosen?.rooms()) ?? [], query);
    },
    async isPublished(roomId) {
      const { roomNid } = await resolve(roomId);
      return (await findPublished(db, [roomNid])).has(roomNid);
    },
    async setPublished(person, roomId, isPublished) {
      const { roomNid } = await resolve(roomId);
      if (!(await mayPublish(person, roomNid))) {
        throw new MatrixError('forbidden', { message: 'You may not list this room in the directory, or remove it.' });
      }
      const set = createWriteSet();
      if (isPublished) addPublishedRoom(set, roomNid);
      else removePublishedRoom(set, roomNid);
      await db.commit(set);
    },
  };
}
