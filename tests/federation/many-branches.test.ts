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

test('a ban on one of many branches stays, whichever of the others is followed', async (context) => {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const server = network.server('hs1');
  const alice = await server.registerUser('alice');
  const room = createPeerRoom(peer, { version: '11' });
  const mallory = '@mallory:peer.test';
  const member = (sender: string, membership: string) => ({
    type: 'm.room.member',
    stateKey: mallory,
    sender,
    content: { membership },
  });
  room.add(member(mallory, 'join'));
  room.serve();
  await must(alice.post(`/_matrix/client/v3/join/${encodeURIComponent(room.roomId)}?via=peer.test`, {}));
  const membership = async (): Promise<unknown> =>
    (await must(alice.get(pathOf(room.roomId, `state/m.room.member/${mallory}`))))['membership'];
  const sendAll = async (made: readonly { readonly pdu: string }[]): Promise<void> => {
    for (let start = 0; start < made.length; start += 10) {
      const pdus = made.slice(start, start + 10).map(({ pdu }) => parseJson(pdu, 'lenient') as JsonObject);
      await send(peer, pdus);
    }
  };

  const ban = room.make(member(room.founder, 'ban'));
  const topics = Array.from({ length: 30 }, (_, index) =>
    room.make({ type: 'm.room.topic', stateKey: '', sender: room.founder, content: { topic: `${index}` } }),
  );
  await sendAll([...topics.slice(0, 1), ban, ...topics.slice(1)]);
  assert.equal(await membership(), 'ban');
  // Each of the others goes on, the newest first.
  await sendAll(
    topics.toReversed().map(({ eventId }, index) =>
      room.make({
        type: 'm.room.topic',
        stateKey: '',
        sender: room.founder,
        content: { topic: `further ${index}` },
        prevEvents: [eventId],
      }),
    ),
  );
  assert.equal(await membership(), 'ban');
  for (let count = 0; count < 3; count += 1) {
    await must(alice.put(pathOf(room.roomId, `send/m.room.message/${count}`), { msgtype: 'm.text', body: 'and now?' }));
    assert.equal(await membership(), 'ban');
  }
  // Others name all that their room ends with.
  const earliest = Array.from({ length: 300 }, (_, index) => `$end-${index}`);
  const content = { earliest_events: earliest, latest_events: [ban.eventId], limit: 10 };
  const path = `/_matrix/federation/v1/get_missing_events/${encodeURIComponent(room.roomId)}`;
  assert.equal((await peer.send('hs1', 'POST', path, { content })).status, 200);
  assert.deepEqual(server.errors, []);
});
