import { serverNameOf } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { readHosts } from '@portico/storage/stores/federation/federation-rooms.ts';
import { findRoomOfAlias } from '@portico/storage/stores/directory/room-aliases.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';

/** What other servers may ask about this server's aliases. */
export interface DirectoryQueries {
  findAlias(alias: string): Promise<{ readonly room_id: string; readonly servers: string[] }>;
}

/** Servers of a room that are named to those who want to join it. */
const maxServers = 50;

export function createDirectoryQueries(db: Reader, serverName: string): DirectoryQueries {
  return {
    async findAlias(alias) {
      const room = serverNameOf(alias) === serverName ? await findRoomOfAlias(db, alias) : undefined;
      if (room === undefined) throw new MatrixError('alias.not-found');
      return { room_id: room.roomId, servers: await readHosts(db, room.roomNid, maxServers) };
    },
  };
}
