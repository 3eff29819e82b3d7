import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { must, say } from '@portico/testkit/people.ts';

const members = 1500;

test('a large state is told as a whole, in as many pieces as it takes', async (context) => {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const alice = await network.server('hs1').registerUser('alice');
  const room = createPeerRoom(peer);
  for (let member = 0; member < members; member++) {
    const sender = `@somebody-${member}:peer.test`;
    room.add({ type: 'm.room.member', stateKey: sender, sender, content: { membership: 'join' } });
  }
  room.serve();
  const path = encodeURIComponent(room.roomId);
  await must(alice.post(`/_matrix/client/v3/join/${path}?via=peer.test`, {}));
  const eventId = encodeURIComponent(await say(alice, room.roomId, 'here'));

  const ask = async (what: string) => {
    const uri = `/_matrix/federation/v1/${what}/${path}?event_id=${eventId}`;
    const { status, body } = await peer.send('hs1', 'GET', uri);
    assert.equal(status, 200);
    return body as Readonly<Record<string, readonly unknown[]>>;
  };
  const { pdus, auth_chain: chain } = await ask('state');
  const { pdu_ids: ids, auth_chain_ids: chainIds } = await ask('state_ids');
  // The founder, alice, the create event, power levels and join rules are there as well.
  assert.deepEqual([pdus?.length, ids?.length, new Set(ids).size], Array(3).fill(members + 5));
  assert.deepEqual([chain?.length, chainIds?.length], [4, 4]);
});
