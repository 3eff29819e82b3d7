import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRoomVersion } from '../room-versions/registry.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { checkCreateEvent, roomVersionOfCreate } from './create-event.ts';
import { eventIdOf } from './hashes.ts';
import { createEventIdOfRoom, roomIdOfCreateEvent } from './room-event.ts';
import { parseStrippedStateEvent } from './stripped-state.ts';

const v12 = findRoomVersion('12') as RoomVersionRules;
const create = {
  auth_events: [],
  content: { room_version: '12' },
  depth: 1,
  hashes: { sha256: 'AAAA' },
  origin_server_ts: 1000,
  prev_events: [],
  sender: '@alice:example.org',
  signatures: {},
  state_key: '',
  type: 'm.room.create',
};

test('the version of a room is 1 unless its create event says otherwise', () => {
  assert.equal(roomVersionOfCreate({})?.version, '1');
  assert.equal(roomVersionOfCreate({ room_version: '9' })?.version, '9');
  for (const version of ['13', 9, null, '', '__proto__']) {
    assert.equal(roomVersionOfCreate({ room_version: version }), undefined);
  }
});

test('a create event proves a room ID that was derived from it', () => {
  const roomId = roomIdOfCreateEvent(eventIdOf(v12, create));
  assert.equal(createEventIdOfRoom(roomId), eventIdOf(v12, create));
  const checked = checkCreateEvent(v12, roomId, create);
  assert.ok(checked.kind === 'ok');
  assert.equal(checked.event.roomId, roomId);

  const rule = (value: object, room = roomId) => {
    const checked = checkCreateEvent(v12, room, value as never);
    return checked.kind === 'ok' ? 'ok' : checked.rule;
  };
  assert.equal(rule(create, `!${'A'.repeat(43)}`), 'create.other_room');
  assert.equal(rule({ ...create, sender: '@mallory:example.org' }), 'create.other_room');
  assert.equal(rule({ ...create, content: { room_version: '11' } }), 'create.version');
  assert.equal(rule({ ...create, state_key: 'x' }), 'create.state_key');
  assert.equal(rule({ ...create, type: 'm.room.name' }), 'create.type');
  assert.equal(rule({ ...create, depth: 'x' }), 'pdu.depth');
});

test('stripped state keeps four fields, and what lacks one is none', () => {
  const event = { type: 'm.room.name', state_key: '', sender: '@a:example.org', content: { name: 'x' } };
  assert.deepEqual(parseStrippedStateEvent({ ...event, event_id: '$x', unsigned: {}, signatures: {} }), event);
  for (const field of Object.keys(event)) {
    assert.equal(parseStrippedStateEvent({ ...event, [field]: 7 }), undefined);
    assert.equal(
      parseStrippedStateEvent(Object.fromEntries(Object.entries(event).filter(([key]) => key !== field))),
      undefined,
    );
  }
  assert.equal(parseStrippedStateEvent({ ...event, type: 'é'.repeat(128) }), undefined);
  assert.equal(parseStrippedStateEvent({ ...event, sender: 'a' }), undefined);
  assert.equal(parseStrippedStateEvent(null), undefined);
});
