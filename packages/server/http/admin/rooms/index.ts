import type { BlockedRooms } from '../../../services/rooms/blocking/blocked-rooms.ts';
import type { RoomList } from '../../../services/rooms/listing/room-list.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getRoomBlock, setRoomBlock } from './block-room.ts';
import { getRoom, listRoomMembers, listRooms } from './list-rooms.ts';
import { getRoomShutdown, listRoomShutdowns, shutRoomDown } from './shut-room-down.ts';

export type RoomAdminServices = { readonly blockedRooms: BlockedRooms; readonly roomList: RoomList };

/** What administrators do about rooms. */
export const roomAdminEndpoints: readonly Endpoint<RoomAdminServices>[] = [
  listRooms,
  getRoom,
  listRoomMembers,
  getRoomBlock,
  setRoomBlock,
  shutRoomDown,
  getRoomShutdown,
  listRoomShutdowns,
];
