import assert from 'node:assert/strict';
import { createWriteSet, type Database } from '@portico/storage';
import { addRoom } from '@portico/storage/stores/rooms/rooms.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createRoomList, type RoomQuery } from './room-list.ts';

const all: Omit<RoomQuery, 'order'> = {
  search: '',
  isPublic: undefined,
  isEmpty: undefined,
  from: 0,
  limit: 2,
  isDescending: false,
};

/** Rooms with nothing in them, a thousand of each size. */
async function addRooms(db: Database, from: number, count: number): Promise<void> {
  const set = createWriteSet();
  for (let nid = from; nid < from + count; nid += 1) {
    addRoom(
      set,
      {
        roomNid: nid,
        roomId: `!room${nid}:localhost`,
        roomVersion: '11',
        createEventNid: nid,
        extremities: [],
        stateRoot: nid,
        maxDepth: 1,
        lastEventNid: nid,
        ordinal: 0,
        joinedCount: Math.floor(nid / 1000),
        invitedCount: 0,
        isActivity: false,
        version: 1,
      },
      set.takePosition(),
    );
  }
  await db.commit(set);
}

onBothEngines('more than ten thousand rooms are sorted by their size, and by nothing that has no index', async (db) => {
  const list = createRoomList({ db, serverName: 'localhost' });
  for (let from = 0; from < 11_000; from += 1000) await addRooms(db, from, 1000);
  const ids = async (query: Partial<RoomQuery>) =>
    (await list.list({ ...all, order: 'joined_members', ...query })).rooms.map((room) => [room.roomId, room.joined]);
  assert.deepEqual(await ids({}), [
    ['!room10000:localhost', 10],
    ['!room10001:localhost', 10],
  ]);
  assert.deepEqual(await ids({ from: 1999 }), [
    ['!room9999:localhost', 9],
    ['!room8000:localhost', 8],
  ]);
  assert.deepEqual(await ids({ isDescending: true }), [
    ['!room999:localhost', 0],
    ['!room998:localhost', 0],
  ]);
  assert.deepEqual(await ids({ isDescending: true, isEmpty: false, limit: 1 }), [['!room1999:localhost', 1]]);
  const last = await list.list({ ...all, order: 'joined_members', from: 9998, limit: 5 });
  assert.deepEqual([last.rooms.length, last.next, last.total], [2, undefined, 10_000]);
  assert.deepEqual((await list.list({ ...all, order: 'name' })).rooms[0]?.roomId, '!room0:localhost');
  for (const order of ['version', 'joined_local_members', 'creator', 'public'] as const) {
    await assert.rejects(list.list({ ...all, order }), {
      reason: 'request.invalid-param',
      message: 'With more than 10000 rooms order_by is name or joined_members.',
    });
  }
});
