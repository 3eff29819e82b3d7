import assert from 'node:assert/strict';
import { parseRequiredState } from '@portico/protocol/sliding-sync/required-state.ts';
import { readConfigs, readConnections } from '@portico/storage/stores/sync/sliding-connections.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { newConnection, type SentRoom } from './connection-state.ts';
import { createConnections } from './connections.ts';

const key = { userId: '@a:x', deviceId: 'D', connId: '' };

function room(turn: number): SentRoom {
  const state = parseRequiredState([[`t${turn}`, '']], key.userId);
  return { sentTo: 'live', limit: 1, membership: 'join', isDm: false, state, behind: turn % 2 === 0 ? '' : 'ar' };
}

onBothEngines(
  'a client that wants other state each time leaves nothing behind of what it wanted before',
  async (db) => {
    const connections = createConnections({ db, now: () => 0 });
    const first = new Map([1, 2].map((nid) => [nid, room(-nid)]));
    let { nid, serial } = await connections.save(key, newConnection, first);
    for (let turn = 0; turn < 210; turn++) {
      const state = await connections.find(key, nid, serial);
      assert.ok(state);
      ({ nid, serial } = await connections.save(key, state, new Map([[1, room(turn)]])));
    }
    assert.ok((await readConfigs(db, nid)).length <= 110);
    const again = await createConnections({ db, now: () => 0 }).find(key, nid, serial);
    assert.deepEqual(again?.rooms.get(1), room(209));
    assert.deepEqual(again.rooms.get(2), room(-2));
  },
);

onBothEngines('whoever starts a connection many times at once is answered each time, and has one', async (db) => {
  let time = 0;
  const now = () => ++time;
  const [one, other] = [createConnections({ db, now }), createConnections({ db, now })];
  const rooms = new Map([[1, room(1)]]);
  const start = (connId: string, process = one) => process.save({ ...key, connId }, newConnection, rooms);
  const atOnce = Array.from({ length: 25 });
  await Promise.all([one, other].flatMap((process) => atOnce.map(() => start('same', process))));
  const ids = Array.from({ length: 25 }, (_, index) => `connection ${index}`);
  await Promise.all(ids.map((connId) => start(connId)));
  const kept = async () => (await readConnections(db, key.userId, key.deviceId)).map(({ conn_id: id }) => id);
  assert.deepEqual(await kept(), ids.slice(-10));
  await start('same');
  await start('same');
  assert.deepEqual(
    await kept(),
    [...ids.slice(-9), 'same'],
    'a connection that is started anew replaces none but itself',
  );
});
