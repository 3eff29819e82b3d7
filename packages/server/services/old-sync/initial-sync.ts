import type { Reader } from '@portico/storage';
import { readPublishedIds } from '@portico/storage/stores/directory/room-directory.ts';
import type { Sync } from '../sync/sync.ts';
import type { ClientEvent, RoomInfo } from './answers.ts';
import { eventsOf, inRoom, ownMembership, type SyncAnswer, type SyncedRoom } from './sync-answer.ts';

export type InitialSyncRequest = {
  readonly userId: string;
  readonly deviceId: string;
  /** Messages of each room. */
  readonly limit: number | undefined;
  /** Whether rooms come too that the user has left. */
  readonly archived: boolean;
  readonly signal: AbortSignal;
};

export type InitialSync = {
  readonly end: string;
  readonly presence: readonly ClientEvent[];
  readonly account_data: readonly ClientEvent[];
  readonly receipts: readonly ClientEvent[];
  readonly rooms: readonly RoomInfo[];
};

const defaultLimit = 10;
const maxLimit = 100;

/**
 * All that a client starts with. It is what `/sync` says, put in the form that came before it.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3initialsync}
 */
export async function readInitialSync(
  { sync, db }: { readonly sync: Sync; readonly db: Reader },
  { userId, deviceId, limit = defaultLimit, archived, signal }: InitialSyncRequest,
): Promise<InitialSync> {
  const timeline = { limit: Math.min(limit, maxLimit) };
  const text = await sync.sync({
    userId,
    deviceId,
    since: undefined,
    filter: JSON.stringify({ room: { timeline, include_leave: archived } }),
    fullState: false,
    timeout: 0,
    stateField: 'state_after',
    signal,
  });
  const { next_batch: end, presence, account_data: accountData, rooms = {} } = JSON.parse(text) as SyncAnswer;
  const { join = {}, leave = {}, invite = {}, knock = {} } = rooms;
  const published = await readPublishedIds(db, [...Object.keys(join), ...Object.keys(leave)]);
  const known = (membership: 'join' | 'leave', of: Readonly<Record<string, SyncedRoom>>): RoomInfo[] =>
    Object.entries(of).map(([roomId, room]) => ({
      room_id: roomId,
      membership,
      messages: {
        ...(room.timeline?.prev_batch !== undefined && { start: room.timeline.prev_batch }),
        end,
        chunk: inRoom(roomId, room.timeline),
      },
      state: inRoom(roomId, (room as { readonly state_after?: SyncedRoom['state'] }).state_after),
      visibility: published.has(roomId) ? 'public' : 'private',
      account_data: eventsOf(room.account_data),
    }));
  const invited = Object.entries(invite).map(([roomId, { invite_state: state }]): RoomInfo => {
    const [event] = ownMembership(userId, roomId, state);
    return { room_id: roomId, membership: 'invite', ...(event !== undefined && { invite: event }) };
  });
  const knocking = Object.keys(knock).map((roomId): RoomInfo => ({ room_id: roomId, membership: 'knock' }));
  return {
    end,
    presence: eventsOf(presence),
    account_data: eventsOf(accountData),
    receipts: Object.entries(join).flatMap(([roomId, { ephemeral }]) =>
      inRoom(roomId, ephemeral).filter(({ type }) => type === 'm.receipt'),
    ),
    rooms: [...known('join', join), ...known('leave', leave), ...invited, ...knocking],
  };
}
