import type { JsonObject } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { readAliasesOfRoom } from '@portico/storage/stores/directory/aliases-read.ts';
import { readRoomsOfUser } from '@portico/storage/stores/rooms/memberships-read.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { createInviteRules } from '../privacy/invite-rules.ts';
import { createAccess } from './access.ts';
import type { ReadingContext } from './context.ts';
import { createErasedSenders } from './erased-senders.ts';
import { createIgnoredUsers } from './ignored-users.ts';
import { createRoomNames } from './room-names.ts';
import { createVisibility } from './visibility.ts';
import { createWholeRooms } from './whole-rooms.ts';

type Dependencies = {
  readonly db: Database;
  readonly states: StateStore;
  readonly now: () => number;
  /** Invite rules of the whole server. */
  readonly invitePolicy?: JsonObject;
  /** The user through whom the server itself speaks. */
  readonly noticesUser?: string;
  readonly isOwn?: (userId: string) => boolean;
};

/** What the functions that read rooms work on. */
export function createReading(dependencies: Dependencies): ReadingContext {
  const { db, states, now, invitePolicy: policy, noticesUser, isOwn } = dependencies;
  const rooms = createRoomNames(db);
  const erasedSenders = createErasedSenders(db, isOwn);
  return {
    db,
    states,
    now,
    rooms,
    access: createAccess({ db, rooms }),
    visibility: createVisibility({ db, states, erased: erasedSenders, now }),
    erasedSenders,
    ignored: createIgnoredUsers(db),
    inviteRules: createInviteRules({ db, policy, noticesUser }),
    wholeRooms: createWholeRooms(),
  };
}

/** The aliases that this server has for a room. */
/**
 * Those that the room has now.
 *
 * > This endpoint can be called by users who are in the room (external users receive an `M_FORBIDDEN` error response). If the
 * > room's `m.room.history_visibility` maps to `world_readable`, any user can call this endpoint.
 */
export async function readAliases(
  { db, access }: ReadingContext,
  userId: string,
  roomId: string,
): Promise<readonly string[]> {
  const { roomNid, end } = await access.enter(userId, roomId);
  if (end !== Infinity) throw new MatrixError('forbidden', { message: 'You are no longer in this room.' });
  return readAliasesOfRoom(db, roomNid);
}

export async function readJoinedRooms({ db }: ReadingContext, userId: string): Promise<readonly string[]> {
  const rows = await readRoomsOfUser(db, userId);
  return rows.filter((row) => row.membership === 'join').map((row) => row.room_id);
}
