import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { refusal } from '@portico/testkit/people.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { until } from '@portico/testkit/until.ts';
import { serveLeaves } from './leaves.ts';
import { openWithPeer } from './peer.ts';

const join = (roomId: string) => `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=peer.test`;

test('who is on their way into a room when it is blocked does not come in, and leaves over there', async (context) => {
  const { server, peer, alice } = await openWithPeer(context);
  const admin = await registerAdmin(server, 'admin');
  const room = createPeerRoom(peer);
  const left = serveLeaves(peer, room);
  const block = `/_synapse/admin/v2/rooms/${encodeURIComponent(room.roomId)}`;
  room.serve(room.joinAnswer, async () => {
    assert.equal((await admin.delete(block, { block: true })).status, 200);
  });
  assert.equal(await refusal(alice.post(join(room.roomId), {})), '403 M_FORBIDDEN');
  await until(() => left[0], 'she has left over there');
  assert.equal(left[0]?.['sender'], alice.userId);
  const { joined_rooms: joined } = (await alice.get('/_matrix/client/v3/joined_rooms')).body;
  assert.ok(!(joined as string[]).includes(room.roomId));
  assert.deepEqual(server.errors, []);
});
