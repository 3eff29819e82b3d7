import type { Database } from '@portico/storage';
import { readRoomsOfUser, type UserRoomRow } from '@portico/storage/stores/rooms/memberships-read.ts';
import type { OnlineIndex, OnlineRoom, OnlineUser, UserRoom } from './online-index.ts';

const listed: ReadonlySet<string> = new Set(['join', 'invite', 'knock']);

/**
 * The user's entry, with the list of their rooms up to date with every change that has come in. What is read may be newer; then
 * the changes up to there are waited for, so that afterwards the list is exactly that of `db.currentPosition()`. It is another
 * entry where the user was forgotten meanwhile: changes no longer come in to the old one.
 */
export async function settleUser(db: Database, index: OnlineIndex, { userId }: OnlineUser): Promise<OnlineUser> {
  for (;;) {
    const user = index.users.get(userId) ?? index.touch(userId);
    if (user.loadedTo >= Math.max(user.membershipPosition, 0)) return user;
    user.loading ??= load(db, index, user).finally(() => {
      user.loading = undefined;
    });
    await user.loading;
  }
}

async function load(db: Database, index: OnlineIndex, user: OnlineUser): Promise<void> {
  const started = db.currentPosition();
  const rows = await readRoomsOfUser(db, user.userId, user.loadedTo);
  let newest = started;
  for (const row of rows) newest = Math.max(newest, row.position);
  await index.reached(newest);
  const moved = db.currentPosition() !== started;
  for (const row of rows) apply(index, user, row, moved ? db.currentPosition() : row.last_position);
  user.loadedTo = newest;
  // What has come to these rooms so far was noted for nobody who was not found in them yet: each device looks once.
  if (rows.length > 0) user.lastChange = db.currentPosition();
}

function enter(index: OnlineIndex, user: OnlineUser, row: UserRoomRow, lastPosition: number): OnlineRoom {
  return index.enterRoom(user, row.room_nid, row.room_id, lastPosition, row.last_position);
}

function apply(index: OnlineIndex, user: OnlineUser, row: UserRoomRow, lastPosition: number): void {
  user.membershipPosition = Math.max(user.membershipPosition, row.position);
  if (row.membership !== 'join') index.leaveRoom(user, row.room_nid);
  if (!listed.has(row.membership)) {
    user.rooms.delete(row.room_nid);
    return;
  }
  const room = row.membership === 'join' ? enter(index, user, row, lastPosition) : undefined;
  const entry: UserRoom = {
    room,
    nid: row.room_nid,
    id: row.room_id,
    membership: row.membership,
    eventNid: row.event_nid,
    order: row.room_order,
    position: row.position,
  };
  user.rooms.set(row.room_nid, entry);
}
