import type { HistoryContext } from '../../../services/reading/context.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getEventContext } from './get-event-context.ts';
import { getEvent } from './get-event.ts';
import { getJoinedRooms } from './get-joined-rooms.ts';
import { getJoinedMembers, getMembers } from './get-members.ts';
import { getMessages } from './get-messages.ts';
import { getRoomAliases } from './get-room-aliases.ts';
import { getRoomState, getStateEvent, getStateEventWithoutKey } from './get-room-state.ts';

/** What reads rooms. */
export const readingEndpoints: readonly Endpoint<{ reading: HistoryContext }>[] = [
  getMessages,
  getEvent,
  getEventContext,
  getRoomState,
  getStateEvent,
  getStateEventWithoutKey,
  getMembers,
  getJoinedMembers,
  getJoinedRooms,
  getRoomAliases,
];
