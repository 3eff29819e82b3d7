import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { parsePdu, signingKeyFromSeed, toRoomEvent } from '@portico/protocol';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createPeerRoom, type PeerEvent } from '@portico/testkit/peer-room.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import type { ReceivedEvent } from '../receiving/received-event.ts';

const key = signingKeyFromSeed('ed25519:peer', randomBytes(32));

onBothEngines('somebody is invited to a room while the state that others join with is being stored', async (db) => {
  const { rooms } = await openTestRooms(db);
  const { rules, roomId, founder, state, make } = createPeerRoom({ serverName: 'peer.test', key, on: () => undefined });
  const receivedOf = (pdu: string): ReceivedEvent => {
    const parsed = parsePdu(rules, pdu);
    assert.ok(parsed.kind === 'ok');
    return { event: toRoomEvent(rules, parsed.pdu, parsed.eventId, { rejected: false }), pieces: parsed.pieces };
  };
  const memberOf = (userId: string, membership: string, sender = userId): ReceivedEvent => {
    const event: PeerEvent = { type: 'm.room.member', stateKey: userId, sender, content: { membership } };
    return receivedOf(make(event).pdu);
  };
  const invitations: Promise<unknown>[] = [];
  await rooms.joinImported({
    given: { rules, roomId, authChain: [], state: [...state.values()].map(({ pdu }) => receivedOf(pdu)) },
    join: memberOf('@alice:localhost', 'join'),
    progress() {
      for (const name of ['bob', 'carol', 'dora']) {
        const received = memberOf(`@${name}:localhost`, 'invite', founder);
        invitations.push(rooms.recordRemote({ rules, received, previous: 'leave', shown: undefined }));
      }
    },
  });
  assert.equal(invitations.length, 3);
  await Promise.all(invitations);
  const alice = { userId: '@alice:localhost', deviceId: 'A' };
  await rooms.send(alice, roomId, 'm.room.message', '1', { body: 'here' });
});
