import { isRoomAlias, isRoomId, serverNameOf } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findRoomOfAlias } from '@portico/storage/stores/directory/room-aliases.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomNames } from '../reading/room-names.ts';
import type { RemoteRooms } from './remote-rooms.ts';
import type { FindRooms } from './room-parts.ts';

type Dependencies = {
  readonly db: Reader;
  readonly roomNames: RoomNames;
  readonly serverName: string;
  readonly remote: () => RemoteRooms | undefined;
  /** Has an alias made that does not exist; answers whether that was done. */
  readonly makeAlias: ((alias: string) => Promise<boolean>) | undefined;
};

/** Finds rooms by what people call them. */
export function createFindRooms({ db, roomNames, serverName, remote, makeAlias }: Dependencies): FindRooms {
  async function resolveAlias(alias: string): Promise<{ readonly roomNid: number; readonly roomId: string }> {
    if (!isRoomAlias(alias)) {
      throw new MatrixError('request.invalid-param', { message: 'This is not a room alias.' });
    }
    const find = () => findRoomOfAlias(db, alias);
    const room = (await find()) ?? ((await makeAlias?.(alias)) === true ? await find() : undefined);
    if (room === undefined) throw new MatrixError('alias.not-found');
    return room;
  }

  const resolve: FindRooms['resolve'] = async (roomIdOrAlias) => {
    if (roomIdOrAlias.startsWith('#')) return resolveAlias(roomIdOrAlias);
    const roomNid = await roomNames.find(roomIdOrAlias);
    if (roomNid === undefined) throw new MatrixError('room.not-found');
    return { roomNid, roomId: roomIdOrAlias };
  };

  return {
    resolve,
    async nidOf(roomId) {
      const roomNid = await roomNames.find(roomId);
      if (roomNid === undefined) throw new MatrixError('forbidden', { message: 'You are not in this room.' });
      return roomNid;
    },
    async locate(roomIdOrAlias) {
      const others = remote();
      if (others !== undefined && isRoomAlias(roomIdOrAlias) && serverNameOf(roomIdOrAlias) !== serverName) {
        return others.resolveAlias(roomIdOrAlias);
      }
      return { roomId: isRoomId(roomIdOrAlias) ? roomIdOrAlias : (await resolve(roomIdOrAlias)).roomId, servers: [] };
    },
    async awayFor(roomId) {
      const others = remote();
      return others !== undefined && (await others.isAway(roomId)) ? others : undefined;
    },
  };
}
