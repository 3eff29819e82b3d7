import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../json/value.ts';
import { isReplacement, parseRelation } from './relation.ts';

const relating = (relation: JsonObject | string): JsonObject => ({ 'm.relates_to': relation });

test('a relation has a type and an event', () => {
  const thread = { rel_type: 'm.thread', event_id: '$a' };
  assert.deepEqual(parseRelation(relating(thread)), { type: 'm.thread', eventId: '$a', key: undefined });
  const reaction = { rel_type: 'm.annotation', event_id: '$a', key: '👍' };
  assert.equal(parseRelation(relating(reaction))?.key, '👍');
  assert.equal(parseRelation(relating({ ...thread, key: 'x' }))?.key, undefined);
  for (const key of [5, null, ['👍']]) {
    assert.deepEqual(parseRelation(relating({ ...reaction, key })), {
      type: 'm.annotation',
      eventId: '$a',
      key: undefined,
    });
  }
  const longest = { rel_type: 'é'.repeat(127) + 'x', event_id: '$'.repeat(255) };
  assert.equal(parseRelation(relating(longest))?.type, longest.rel_type);
});

test('a long key stands as its hash', () => {
  const keyed = (key: string) => parseRelation(relating({ rel_type: 'm.annotation', event_id: '$a', key }))?.key ?? '';
  assert.equal(keyed('x'.repeat(255)), 'x'.repeat(255));
  assert.match(keyed('x'.repeat(256)), /^sha256:.{43}$/);
  assert.notEqual(keyed('x'.repeat(256)), keyed('x'.repeat(257)));
  assert.match(keyed('a\0b'), /^sha256:/);
});

test('what is no relation is none', () => {
  for (const content of [
    {},
    relating('x'),
    relating({ rel_type: 'm.thread' }),
    relating({ event_id: '$a' }),
    relating({ 'm.in_reply_to': { event_id: '$a' } }),
    relating({ rel_type: '', event_id: '$a' }),
    relating({ rel_type: 'x'.repeat(256), event_id: '$a' }),
    relating({ rel_type: 'é'.repeat(128), event_id: '$a' }),
    relating({ rel_type: 'm.thread', event_id: 'a\0b' }),
    relating({ rel_type: 'm.thread', event_id: 5 }),
  ] satisfies JsonObject[]) {
    assert.equal(parseRelation(content), undefined, JSON.stringify(content));
  }
});

test('a replacement says what is new, unless that is encrypted', () => {
  assert.equal(isReplacement('m.room.message', undefined, { 'm.new_content': {} }), true);
  assert.equal(isReplacement('m.room.message', undefined, { 'm.new_content': 'x' }), false);
  assert.equal(isReplacement('m.room.message', undefined, {}), false);
  assert.equal(isReplacement('m.room.encrypted', undefined, {}), true);
  assert.equal(isReplacement('m.room.message', '', { 'm.new_content': {} }), false);
});
