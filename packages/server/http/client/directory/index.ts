import type { RoomDirectory } from '../../../services/directory/room-directory.ts';
import type { Aliases } from '../../../services/rooms/aliases/aliases.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getPublicRooms, queryPublicRooms } from './public-rooms.ts';
import { deleteRoomAlias, getRoomIdByAlias, setRoomAlias } from './room-alias.ts';
import { getRoomVisibilityOnDirectory, setRoomVisibilityOnDirectory } from './room-visibility.ts';

/** Aliases and the room directory. */
export const directoryEndpoints: readonly Endpoint<{ aliases: Aliases; directory: RoomDirectory }>[] = [
  setRoomAlias,
  getRoomIdByAlias,
  deleteRoomAlias,
  getRoomVisibilityOnDirectory,
  setRoomVisibilityOnDirectory,
  getPublicRooms,
  queryPublicRooms,
];
