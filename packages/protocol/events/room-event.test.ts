import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRoomVersion } from '../room-versions/registry.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import type { Pdu } from './pdu.ts';
import { allAuthEvents, createEventIdOfRoom, roomIdOfCreateEvent, toRoomEvent } from './room-event.ts';

const pdu: Pdu = {
  type: 'm.room.redaction',
  sender: '@alice:a.example',
  room_id: '!room:a.example',
  content: { redacts: '$content' },
  redacts: '$top',
  origin_server_ts: 1,
  depth: 1,
  prev_events: ['$previous'],
  auth_events: [],
};
const read = (version: string, over: Partial<Pdu> = {}) =>
  toRoomEvent(findRoomVersion(version) as RoomVersionRules, { ...pdu, ...over }, '$event', { rejected: false });

test('what a redaction redacts stands at the top until version 10, and then in its content', () => {
  for (const version of ['3', '10']) assert.equal(read(version).redacts, '$top');
  for (const version of ['11', '12']) assert.equal(read(version).redacts, '$content');
  assert.equal(read('11', { content: { redacts: 7 } }).redacts, undefined);
  for (const version of ['10', '11']) assert.equal(read(version, { type: 'm.room.message' }).redacts, undefined);
});

test('references are IDs, beside which the first two versions have hashes', () => {
  assert.deepEqual(read('3').prevEvents, ['$previous']);
  assert.deepEqual(read('2', { prev_events: [['$previous', {}]] }).prevEvents, ['$previous']);
});

test('since version 12 the ID of a room is that of its create event, with another sigil', () => {
  const { room_id: _, ...create } = { ...pdu, type: 'm.room.create', state_key: '' };
  const event = toRoomEvent(findRoomVersion('12') as RoomVersionRules, create, '$event', { rejected: false });
  assert.equal(event.roomId, '!event');
  assert.equal(roomIdOfCreateEvent('$event'), '!event');
  assert.equal(createEventIdOfRoom('!event'), '$event');
});

test('an event is allowed by the create event, whether its auth events name it or the ID of the room stands for it', () => {
  const event = { eventId: '$x', roomId: '!create', authEvents: ['$powers'] };
  for (const [version, about, expected] of [
    ['11', event, ['$powers']],
    ['12', event, ['$create', '$powers']],
    ['12', { ...event, eventId: '$create', authEvents: [] }, []],
  ] as const) {
    assert.deepEqual(allAuthEvents(findRoomVersion(version) as RoomVersionRules, about), expected);
  }
});
