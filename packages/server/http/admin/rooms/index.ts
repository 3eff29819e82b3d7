import type { BlockedRooms } from '../../../services/rooms/blocking/blocked-rooms.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getRoomBlock, setRoomBlock } from './block-room.ts';
import { shutRoomDown } from './shut-room-down.ts';

export type RoomAdminServices = { readonly blockedRooms: BlockedRooms };

/** What administrators do about rooms. */
export const roomAdminEndpoints: readonly Endpoint<RoomAdminServices>[] = [getRoomBlock, setRoomBlock, shutRoomDown];
