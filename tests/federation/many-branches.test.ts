import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonObject, parseJson } from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { must, pathOf } from '@portico/testkit/people.ts';
import { send } from './peer.ts';

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`who leaves at the same moment as many others has left, before and after what is said next (${engine})`, async (context) => {
    const network = await startTestNetwork(['hs1'], { engine });
    context.after(() => network.close());
    const peer = await openPeer(context, network, 'peer.test');
    const server = network.server('hs1');
    const alice = await server.registerUser('alice');
    const room = createPeerRoom(peer, { version: '11' });
    const people = Array.from({ length: 50 }, (_, index) => `@p${index}:peer.test`);
    const of = (userId: string, membership: string) => ({
      type: 'm.room.member',
      stateKey: userId,
      sender: userId,
      content: { membership },
    });
    for (const userId of people) room.add(of(userId, 'join'));
    room.serve();
    await must(alice.post(`/_matrix/client/v3/join/${encodeURIComponent(room.roomId)}?via=peer.test`, {}));
    const joined = async (): Promise<readonly string[]> => {
      const { joined: members } = await must(alice.get(pathOf(room.roomId, 'joined_members')));
      return Object.keys(members as object).toSorted();
    };
    assert.equal((await joined()).length, 52);

    // More branches than one event can follow.
    const leaves = people.map((userId) => parseJson(room.make(of(userId, 'leave')).pdu, 'lenient') as JsonObject);
    for (let start = 0; start < leaves.length; start += 10) await send(peer, leaves.slice(start, start + 10));
    const rest = [alice.userId, room.founder].toSorted();
    assert.deepEqual(await joined(), rest);
    await must(
      alice.put(pathOf(room.roomId, 'send/m.room.message/next'), { msgtype: 'm.text', body: 'who is still there?' }),
    );
    assert.deepEqual(await joined(), rest);
    assert.deepEqual(server.errors, []);
  });
}
