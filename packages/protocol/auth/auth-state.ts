import type { RoomEvent } from '../events/pdu.ts';

/**
 * The part of a room's state that an event is judged against: the state before the event, the state that its auth
 * events spell out, or the partially resolved state of a resolution. Only the keys that `authEventKeys` selects for the
 * event are ever asked for.
 */
export type AuthState = {
  readonly get: (type: string, stateKey: string) => RoomEvent | undefined;
  /**
   * The room's create event, where `get` does not have it. Since room version 12 auth events do not name it; its ID is
   * the room's, so the caller always knows where to find it.
   */
  readonly create?: RoomEvent | undefined;
};

/**
 * Whether the event carries a valid signature of this server, which the event alone does not answer. Left out where signatures were
 * checked before, as for events in a state resolution.
 */
export type IsSignedBy = (serverName: string) => boolean;

/** The room's create event, from wherever the state has it. */
export function createEventOf(state: AuthState): RoomEvent | undefined {
  return state.create ?? state.get('m.room.create', '');
}

/** The `membership` of a member event as it is written, which may be anything; `undefined` where there is no such event. */
export function membershipOf(state: AuthState, userId: string): unknown {
  return state.get('m.room.member', userId)?.content['membership'];
}
