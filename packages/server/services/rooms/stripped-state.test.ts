import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoomEvent } from '@portico/protocol';
import { maxShownLength, strippedState } from './stripped-state.ts';

const event = (type: string, length: number): RoomEvent =>
  ({ type, sender: '@a:b', stateKey: '', content: { text: 'x'.repeat(length) } }) as unknown as RoomEvent;

test('of a room that says a lot as much is shown as people read, and what it is and the invitation in any case', () => {
  const half = maxShownLength / 2;
  const events = [event('create', 20_000), event('name', half), event('topic', half), undefined, event('rules', 10)];
  const text = strippedState([...events, event('member', half)]);
  const types = (JSON.parse(text) as { type: string }[]).map(({ type }) => type);
  assert.deepEqual(types, ['create', 'name', 'rules', 'member']);
  assert.deepEqual(JSON.parse(strippedState([undefined, event('member', 1)])), [
    { content: { text: 'x' }, sender: '@a:b', state_key: '', type: 'member' },
  ]);
});
