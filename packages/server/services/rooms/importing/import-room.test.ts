import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { parsePdu, signingKeyFromSeed, toRoomEvent } from '@portico/protocol';
import { eventStates } from '@portico/storage/stores/events/event-states.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createPeerRoom, type PeerEvent, type PeerRoom } from '@portico/testkit/peer-room.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import type { ReceivedEvent } from '../receiving/received-event.ts';

const key = signingKeyFromSeed('ed25519:peer', randomBytes(32));

function roomOf(name: string, joinRule: string) {
  const room = createPeerRoom({ serverName: 'peer.test', key, on: () => undefined }, { name, joinRule });
  const receive = (pdu: string): ReceivedEvent => {
    const parsed = parsePdu(room.rules, pdu);
    assert.ok(parsed.kind === 'ok');
    return { event: toRoomEvent(room.rules, parsed.pdu, parsed.eventId, { rejected: false }), pieces: parsed.pieces };
  };
  return { room, receive, make: (event: PeerEvent) => receive(room.make(event).pdu) };
}

const memberOf = (userId: string, membership: string, sender = userId): PeerEvent => ({
  type: 'm.room.member',
  stateKey: userId,
  sender,
  content: { membership },
});
const topicOf = ({ founder }: PeerRoom): PeerEvent => ({
  type: 'm.room.topic',
  stateKey: '',
  sender: founder,
  content: { topic: 'of its room' },
});

onBothEngines(
  'what is known of another room is no part of a state that is given, and allows nothing in it',
  async (db) => {
    const { rooms } = await openTestRooms(db);
    const [one, other] = [roomOf('one', 'public'), roomOf('other', 'invite')];
    const alice = '@alice:localhost';
    one.room.add(topicOf(one.room));
    const stateOf = ({ room, receive }: typeof one) => [...room.state.values()].map(({ pdu }) => receive(pdu));
    const given = { rules: one.room.rules, roomId: one.room.roomId, authChain: [], state: stateOf(one) };
    await rooms.joinImported({ given, join: one.make(memberOf(alice, 'join')) });
    const known = new Map(given.state.map(({ event }) => [event.type, event.eventId]));

    // As room versions allow where servers choose the IDs of their events: one that another room has already.
    const topic = other.make(topicOf(other.room));
    const stolen = { ...topic, event: { ...topic.event, eventId: known.get('m.room.topic') ?? '' } };
    const byOtherRules = memberOf('@mallory:peer.test', 'join');
    const authEvents = [...other.room.authEvents(byOtherRules).slice(0, 2), known.get('m.room.join_rules') ?? ''];
    const mallory = other.make({ ...byOtherRules, authEvents });
    const invitation = other.make(memberOf(alice, 'invite', other.room.founder));
    const roomNid = await rooms.joinImported({
      given: {
        ...given,
        roomId: other.room.roomId,
        state: [...stateOf(other), invitation, stolen, mallory],
      },
      join: other.make(memberOf(alice, 'join')),
    });
    const entries = [
      ['m.room.join_rules', ''],
      ['m.room.topic', ''],
      ['m.room.member', mallory.event.sender],
    ] as const;
    const { state } = await rooms.readState(roomNid, entries);
    assert.deepEqual(
      entries.map(([type, stateKey]) => state(type, stateKey)?.eventId),
      [other.room.state.get('m.room.join_rules ')?.eventId, undefined, undefined],
    );
    // What cannot be judged here is not stored as rejected either: it may come with what allows it another time.
    assert.deepEqual(await eventStates(db, [mallory.event.eventId]), []);
  },
);
