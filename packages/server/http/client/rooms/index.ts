import type { RoomService } from '../../../services/rooms/room-service.ts';
import type { Endpoint } from '../../endpoint.ts';
import { banUser } from './ban-user.ts';
import { createRoom } from './create-room.ts';
import { inviteUser } from './invite-user.ts';
import { joinRoom, joinRoomById } from './join-room.ts';
import { kickUser } from './kick-user.ts';
import { leaveRoom } from './leave-room.ts';
import { redactEvent } from './redact-event.ts';
import { sendMessage } from './send-message.ts';
import { setRoomState, setRoomStateWithKey } from './set-room-state.ts';
import { unbanUser } from './unban-user.ts';

/** What changes rooms. */
export const roomEndpoints: readonly Endpoint<{ rooms: RoomService }>[] = [
  createRoom,
  inviteUser,
  joinRoomById,
  joinRoom,
  leaveRoom,
  kickUser,
  banUser,
  unbanUser,
  sendMessage,
  setRoomStateWithKey,
  setRoomState,
  redactEvent,
];
