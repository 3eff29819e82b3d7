import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequiredState } from '@portico/protocol/sliding-sync/required-state.ts';
import { alice, bob, carol, deliver, newPdus, partition } from '@portico/testkit/partition.ts';
import type { SlidingBody } from '@portico/testkit/sync-client.ts';
import { createReading } from '../reading/reading.ts';
import { createSyncCore } from '../sync/sync-core.ts';
import { createConnections } from './connections.ts';
import { createRemovedRooms } from './removed-rooms.ts';
import { createRoomFacts } from './room-facts.ts';
import { createRoomLabels } from './room-labels.ts';
import { createSlidingSync } from './sliding-sync.ts';

for (const version of ['11', '12']) {
  test(`entries that the state no longer has after a fork are told by type and key alone (version ${version})`, async (context) => {
    const { a, b, roomId } = await partition(context, version);
    const { db, states } = b;
    const now = () => 0;
    const core = createSyncCore({ reading: createReading({ db, states, now }), streams: [] });
    const facts = createRoomFacts(db);
    context.after(() => facts.close());
    const connections = createConnections({ db, now });
    const removed = createRemovedRooms(db);
    const { sync } = createSlidingSync({ core, facts, labels: createRoomLabels(db), removed, connections });
    const required = [
      ['m.room.name', ''],
      ['org.example.note', '*'],
    ];
    async function slide(pos?: string, more: readonly string[][] = []): Promise<SlidingBody> {
      const config = { limit: 10, state: parseRequiredState([...required, ...more], carol.userId) };
      const extensions = { toDevice: undefined, e2ee: false, accountData: undefined, receipts: undefined };
      const text = await sync({
        ...carol,
        connId: '',
        pos,
        timeout: 0,
        wishes: () => ({ lists: new Map(), subscriptions: new Map([[roomId, config]]) }),
        extensions: { ...extensions, threadSubscriptions: undefined, typing: undefined },
        shape: `${more.length}`,
        signal: new AbortController().signal,
      });
      return JSON.parse(text) as SlidingBody;
    }

    const since = a.db.currentPosition();
    await a.rooms.ban(alice, roomId, bob.userId, undefined);
    await b.rooms.setState(bob, roomId, 'm.room.name', '', { name: 'Of Bob' });
    await b.rooms.setState(bob, roomId, 'm.room.avatar', '', { url: 'mxc://b/ob' });
    await b.rooms.setState(bob, roomId, 'org.example.note', bob.userId, { value: 1 });
    await b.rooms.setState(bob, roomId, 'org.example.other', '', { value: 1 });
    const first = await slide();
    assert.deepEqual([first.rooms[roomId]?.name, first.rooms[roomId]?.required_state?.length], ['Of Bob', 2]);
    await deliver(await newPdus(a, roomId, since), b, roomId, version);
    const second = (await slide(first.pos)).rooms[roomId];
    assert.deepEqual([second?.name, second?.avatar], [null, null]);
    assert.deepEqual(
      second?.required_state?.toSorted((x, y) => x.type.localeCompare(y.type)),
      [
        { type: 'm.room.name', state_key: '' },
        { type: 'org.example.note', state_key: bob.userId },
      ],
    );
  });
}
