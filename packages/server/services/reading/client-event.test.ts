import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEventFields } from '@portico/protocol/sync-filter/event-fields.ts';
import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { noRedactions, pickEventFields, renderEvent, type EventStyle } from './client-event.ts';

const row: ClientEventRow = {
  event_nid: 1,
  event_id: '$e',
  room_nid: 1,
  room_order: 5,
  type: 'm.room.message',
  state_key: null,
  sender: '@a:x',
  origin_server_ts: 1000,
  content: '{"body":"x"}',
  redaction_fields: null,
  redaction_version: null,
  state_before: 1,
  state_after: null,
  head_state: null,
  replaces_nid: null,
  redacted_by: null,
  relation_kinds: null,
  missing_before: null,
  sender_device: 'D',
  txn_id: 't"1',
  sticky_ms: null,
  sticky_until: null,
  prev_event_id: null,
  prev_sender: null,
  prev_content: null,
};
const style: EventStyle = {
  roomId: '!r',
  now: 1500,
  device: undefined,
  membership: undefined,
  redactions: noRedactions,
};
const render = (changes: Partial<ClientEventRow>, more: Partial<EventStyle> = {}) =>
  JSON.parse(renderEvent({ ...row, ...changes }, { ...style, ...more })) as Record<string, unknown>;

test('an event is its content and what its columns say', () => {
  assert.deepEqual(render({}), {
    content: { body: 'x' },
    event_id: '$e',
    origin_server_ts: 1000,
    room_id: '!r',
    sender: '@a:x',
    type: 'm.room.message',
    unsigned: { age: 500 },
  });
  assert.equal('room_id' in render({}, { roomId: undefined }), false);
  assert.equal(render({ state_key: '' })['state_key'], '');
});

test('nothing that others choose breaks out of its string', () => {
  const odd = '"},"x":{\\"\u2028\u0000';
  const event = render({
    event_id: odd,
    type: odd,
    state_key: odd,
    sender: odd,
    prev_event_id: odd,
    prev_sender: odd,
    prev_content: '{}',
  });
  assert.deepEqual([event['event_id'], event['type'], event['state_key'], event['sender']], [odd, odd, odd, odd]);
});

test('a clock that is ahead makes no negative age', () => {
  assert.deepEqual(render({}, { now: 1 })['unsigned'], { age: 0 });
});

test('the transaction is shown to the device that sent it alone', () => {
  const unsigned = (userId: string, deviceId: string) => render({}, { device: { userId, deviceId } })['unsigned'];
  assert.deepEqual(unsigned('@a:x', 'D'), { age: 500, transaction_id: 't"1' });
  assert.deepEqual(unsigned('@a:x', 'E'), { age: 500 });
  assert.deepEqual(unsigned('@b:x', 'D'), { age: 500 });
});

for (const [version, content, top, redacts] of [
  ['10', { reason: 'r' }, '$old', '$old'],
  ['11', { redacts: '$new' }, undefined, '$new'],
  ['10', { redacts: '$unchecked' }, '$old', '$old'],
  ['11', { redacts: '$new' }, '$unchecked', '$new'],
  ['10', { redacts: '$unchecked' }, undefined, undefined],
  ['11', { reason: 'r' }, '$unchecked', undefined],
  ['11', { redacts: { a: 1 } }, '$unchecked', undefined],
  ['10', {}, undefined, undefined],
] as const) {
  const given = `${JSON.stringify(content)} and ${String(top)} in version ${version}`;
  test(`a redaction with ${given} names its event in both places, or in none`, () => {
    const event = render({
      type: 'm.room.redaction',
      content: JSON.stringify(content),
      redaction_fields: `,"prev_events":[]${top === undefined ? '' : `,"redacts":"${top}"`},"type":"x"}`,
      redaction_version: version,
    });
    const { redacts: inContent, ...rest } = event['content'] as { redacts?: unknown; reason?: string };
    assert.deepEqual([event['redacts'], inContent], [redacts, redacts]);
    assert.deepEqual(rest, 'reason' in content ? { reason: 'r' } : {});
  });
}

test('a redacted event carries its redaction, without that of the redaction itself', () => {
  const redaction = { ...row, event_nid: 2, event_id: '$r', type: 'm.room.redaction', redacted_by: 2, content: '{}' };
  const event = render({ redacted_by: 2, content: '{}' }, { redactions: new Map([[2, redaction]]) });
  const because = (event['unsigned'] as { redacted_because: { event_id: string; unsigned: object } }).redacted_because;
  assert.equal(because.event_id, '$r');
  assert.equal('redacted_because' in because.unsigned, false);
});

test('only the fields that are asked for are left', () => {
  assert.equal(
    pickEventFields('{"type":"t","content":{"__proto__":1,"a":2}}', parseEventFields(['content.__proto__'])),
    '{"content":{"__proto__":1}}',
  );
});
