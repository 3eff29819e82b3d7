import type { HistoryContext } from '../../../services/reading/context.ts';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import type { Upgrades } from '../../../services/rooms/upgrade/upgrades.ts';
import type { DelayedEvents } from '../../../services/delayed-events/delayed-events.ts';
import type { Endpoint } from '../../endpoint.ts';
import { banUser } from './ban-user.ts';
import { createRoom } from './create-room.ts';
import { forgetRoom } from './forget-room.ts';
import { getEventByTimestamp } from './get-event-by-timestamp.ts';
import { inviteUser } from './invite-user.ts';
import { joinRoom, joinRoomById } from './join-room.ts';
import { kickUser } from './kick-user.ts';
import { knockRoom } from './knock-room.ts';
import { leaveRoom } from './leave-room.ts';
import { redactEvent } from './redact-event.ts';
import { sendMessage } from './send-message.ts';
import { setRoomState, setRoomStateWithKey } from './set-room-state.ts';
import type { ThirdPartyInvites } from '../../../services/federation/rooms/third-party-invites.ts';
import type { CreateInviting } from '../../../services/identity/create-inviting.ts';
import type { InviteAddress } from '../../../services/identity/invite-address.ts';
import { redactEventOnce, sendMessageOnce } from './without-transaction.ts';
import { unbanUser } from './unban-user.ts';
import { upgradeRoom } from './upgrade-room.ts';

/** What changes rooms. */
export const roomEndpoints: readonly Endpoint<{
  rooms: RoomService;
  createInviting: CreateInviting;
  thirdPartyInvites: Pick<ThirdPartyInvites, 'claim'>;
  inviteAddress: InviteAddress;
  delayedEvents: DelayedEvents;
  upgrades: Upgrades;
  reading: HistoryContext;
}>[] = [
  createRoom,
  inviteUser,
  joinRoomById,
  joinRoom,
  knockRoom,
  leaveRoom,
  forgetRoom,
  kickUser,
  banUser,
  unbanUser,
  sendMessage,
  setRoomStateWithKey,
  setRoomState,
  redactEvent,
  sendMessageOnce,
  redactEventOnce,
  upgradeRoom,
  getEventByTimestamp,
];
