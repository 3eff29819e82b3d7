import {
  compileServerAcl,
  findRoomVersion,
  parseJson,
  type JsonObject,
  type RoomVersionRules,
} from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findFederatedRoom } from '@portico/storage/stores/federation/federation-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';

export type FederatedRoom = {
  readonly roomNid: number;
  readonly roomId: string;
  readonly rules: RoomVersionRules;
  readonly createEventNid: number;
  /** Whether the server that asks, and this one, have somebody in the room. */
  readonly hasOrigin: boolean;
  readonly isOurs: boolean;
  /** Whether any server is in it. */
  readonly hasMembers: boolean;
  /** What its server ACLs say of the server that asks. */
  readonly isAllowed: boolean;
};

export interface FederatedRooms {
  find(roomId: string, origin: string): Promise<FederatedRoom | undefined>;
  /** The room, for a server that may take part in it. Throws if this server is not in it, or its ACLs deny the other one. */
  open(roomId: string, origin: string): Promise<FederatedRoom>;
  /** The room, for a server that is in it. */
  openToMember(roomId: string, origin: string): Promise<FederatedRoom>;
}

export function createFederatedRooms(db: Reader, serverName: string): FederatedRooms {
  async function find(roomId: string, origin: string): Promise<FederatedRoom | undefined> {
    const row = await findFederatedRoom(db, roomId, origin, serverName);
    const rules = row && findRoomVersion(row.room_version);
    if (row === undefined || rules === undefined) return undefined;
    const acl = row.acl === null ? undefined : (parseJson(row.acl, 'lenient') as JsonObject);
    return {
      roomNid: row.room_nid,
      roomId,
      rules,
      createEventNid: row.create_event_nid,
      hasOrigin: row.origin_joined > 0,
      isOurs: row.own_joined > 0,
      hasMembers: row.has_members === 1,
      isAllowed: acl === undefined || compileServerAcl(acl)(origin).kind === 'allow',
    };
  }

  async function open(roomId: string, origin: string): Promise<FederatedRoom> {
    const room = await find(roomId, origin);
    if (room === undefined || !room.isOurs) throw new MatrixError('room.not-found');
    if (!room.isAllowed) throw new MatrixError('forbidden', { message: 'The room does not allow your server.' });
    return room;
  }

  return {
    find,
    open,
    async openToMember(roomId, origin) {
      const room = await open(roomId, origin);
      if (!room.hasOrigin) throw new MatrixError('forbidden', { message: 'Your server is not in this room.' });
      return room;
    },
  };
}
