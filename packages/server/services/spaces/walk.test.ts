import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { createRoomSummaries } from '../directory/room-summaries.ts';
import { fullSummary, summarise } from '../directory/room-summary.ts';
import { knowableRooms } from './access.ts';
import { noRemoteSpaces, type RemoteQuestion } from './remote-spaces.ts';
import type { SpaceChild } from './space-children.ts';
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

onBothEngines('other servers are asked about two hundred rooms of one tree, wherever in it these are', async (db) => {
  const summaries = createRoomSummaries(db);
  const asked: string[] = [];
  const childrenOf = (name: string): SpaceChild[] =>
    Array.from({ length: 150 }, (_, index) => {
      const roomId = `!${name}-${index}:far.example`;
      return { roomId, via: ['far.example'], suggested: false, order: undefined, originServerTs: index, json: '{}' };
    });
  const isOpen = { isKnockable: false, worldReadable: true, allowedRoomIds: undefined };
  const facts = { roomNid: 0, version: '12', joinedMembers: 1 };
  const summaryOf = (roomId: string) => fullSummary(summarise({ ...facts, roomId }, new Map()));
  const describe = async (rooms: readonly RemoteQuestion[]) => {
    asked.push(...rooms.map(({ roomId }) => roomId));
    const [{ roomId } = { roomId: '' }] = rooms;
    const children = childrenOf(`child-${asked.length}`);
    return new Map([[roomId, { ...isOpen, roomId, summary: summaryOf(roomId), joinRule: 'public', children }]]);
  };
  const first = { roomId: '!root:far.example', summary: summaryOf('!root:far.example'), children: childrenOf('root') };
  const dependencies = { db, summaries, remote: { describe }, serverName: 'localhost' };
  const options = { knowable: knowableRooms(db, '@alice:localhost'), suggestedOnly: false, maxDepth: 20 };
  const found = await Array.fromAsync(walkSpaces(dependencies, first, options));
  assert.deepEqual([asked.length, found.length], [200, 3]);
  summaries.close();
});
