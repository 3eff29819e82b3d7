import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRoomVersion, type JsonObject, type RoomEvent, type RoomVersionRules } from '@portico/protocol';
import { judgeImported } from './judge-imported.ts';

const get = (version: string) => findRoomVersion(version) as RoomVersionRules;
const [alice, bob] = ['@alice:a.example', '@bob:b.example'];

function event(
  eventId: string,
  type: string,
  sender: string,
  content: JsonObject,
  more: Partial<RoomEvent>,
): RoomEvent {
  const common = { stateKey: '', originServerTs: 0, depth: 1, prevEvents: [], authEvents: [], redacts: undefined };
  return { ...common, eventId, roomId: '!room:a.example', type, sender, content, rejected: false, ...more };
}

const verdictsOf = async (version: string, ordered: readonly RoomEvent[]) =>
  Object.fromEntries(await judgeImported(get(version), ordered, new Map()));

test('before version 12 an event is judged by the create event that it names, and no other', async () => {
  const create = (eventId: string, content: JsonObject) =>
    event(eventId, 'm.room.create', alice, { creator: alice, room_version: '10', ...content }, {});
  const closed = create('$closed', { 'm.federate': false });
  const open = create('$open', {});
  const join = (eventId: string, of: RoomEvent, user: string, also: readonly string[]) =>
    event(
      eventId,
      'm.room.member',
      user,
      { membership: 'join' },
      { stateKey: user, prevEvents: [also.length === 0 ? of.eventId : '$rules'], authEvents: [of.eventId, ...also] },
    );
  const inOpen = [
    join('$alice', open, alice, []),
    event('$rules', 'm.room.join_rules', alice, { join_rule: 'public' }, { authEvents: ['$open', '$alice'] }),
    join('$bob', open, bob, ['$rules']),
  ];
  for (const creates of [
    [closed, open],
    [open, closed],
  ]) {
    const verdicts = await verdictsOf('10', [...creates, ...inOpen]);
    assert.deepEqual(
      ['$closed', '$open', '$alice', '$rules', '$bob'].map((eventId) => verdicts[eventId]),
      ['allowed', 'allowed', 'allowed', 'allowed', 'allowed'],
    );
  }
});

test('since version 12 nothing is allowed in a room whose create event was rejected', async () => {
  const roomId = '!create';
  const join = event(
    '$join',
    'm.room.member',
    alice,
    { membership: 'join' },
    { roomId, stateKey: alice, prevEvents: ['$create'] },
  );
  for (const [creators, verdict] of [
    [[bob], 'allowed'],
    [['bob'], 'rejected'],
  ] as const) {
    const content = { room_version: '12', additional_creators: [...creators] };
    const create = event('$create', 'm.room.create', alice, content, { roomId });
    assert.deepEqual(await verdictsOf('12', [join, create]), { $create: verdict, $join: verdict });
  }
});
