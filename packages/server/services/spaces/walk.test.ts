import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { createRoomSummaries } from '../directory/room-summaries.ts';
import { knowableRooms } from './access.ts';
import { noRemoteSpaces } from './remote-spaces.ts';
import { findLocalRoom, type WalkOptions, walkSpaces } from './walk.ts';

onBothEngines('of a tree of more rooms than are shown, the first ones are', async (db) => {
  const { rooms } = await openTestRooms(db);
  const summaries = createRoomSummaries(db);
  const alice = { userId: '@alice:localhost', deviceId: 'A' };
  const dependencies = { db, summaries, remote: noRemoteSpaces, serverName: 'localhost' };
  const options = { knowable: knowableRooms(db, alice.userId), suggestedOnly: false, maxDepth: 20 };
  const make = () => rooms.create(alice, { creation_content: { type: 'm.space' } });
  const link = (parent: string, child: string, order: number) =>
    rooms.setState(alice, parent, 'm.space.child', child, { via: ['localhost'], order: String(order) });
  const root = await make();
  const all = [root];
  for (const order of [1, 2, 3]) {
    const [space, inner] = [await make(), await make()];
    await link(space, inner, 1);
    await link(root, space, order);
    all.push(space, inner);
  }
  async function found(more: Partial<WalkOptions>): Promise<readonly string[]> {
    const first = await findLocalRoom(dependencies, root, options);
    assert.ok(first);
    const ids: string[] = [];
    for await (const room of walkSpaces(dependencies, first, { ...options, ...more })) ids.push(room.roomId);
    return ids;
  }
  for (const maxRooms of [1, 2, 4, 7]) assert.deepEqual(await found({ maxRooms }), all.slice(0, maxRooms));
  assert.deepEqual(await found({}), all);
  summaries.close();
});
