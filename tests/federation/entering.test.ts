import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '@portico/protocol';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { join, sees } from '@portico/testkit/people.ts';
import { openWithPeer, sendTransaction } from './peer.ts';

test('what a server sends before it has told what is in the room waits for that', async (context) => {
  const { peer, alice } = await openWithPeer(context);
  const room = createPeerRoom(peer);
  const content = { msgtype: 'm.text', body: 'welcome' };
  let eventId = '';
  room.serve(room.joinAnswer, async () => {
    const welcome = room.add({ type: 'm.room.message', sender: room.founder, content });
    ({ eventId } = welcome);
    const { status } = await sendTransaction(peer, { pdus: [parseJson(welcome.pdu)], edus: [] });
    assert.equal(status, 200);
  });
  await join(alice, room.roomId, 'peer.test');
  assert.deepEqual(await sees(alice, room.roomId, eventId), content);
});
