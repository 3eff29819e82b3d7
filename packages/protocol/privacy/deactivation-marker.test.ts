import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../json/value.ts';
import { saysDeactivated } from './deactivation-marker.ts';

const leave = { membership: 'leave' };
const marked = { ...leave, 'org.matrix.msc3759.deactivated': true };
const ofAlice = (content: JsonObject, over: object = {}) => ({
  type: 'm.room.member',
  sender: '@alice:a.example',
  stateKey: '@alice:a.example',
  content,
  ...over,
});

test('a leave of their own that says so, under either name', () => {
  assert.equal(saysDeactivated(ofAlice(marked)), true);
  assert.equal(saysDeactivated(ofAlice({ ...leave, 'm.deactivated': true })), true);
});

test('nothing else does', () => {
  for (const event of [
    ofAlice(leave),
    ofAlice({ ...leave, 'm.deactivated': 'true' }),
    ofAlice({ ...leave, 'm.deactivated': 1 }),
    ofAlice({ ...marked, membership: 'join' }),
    ofAlice({ ...marked, membership: 'ban' }),
    ofAlice(marked, { sender: '@bob:a.example' }),
    ofAlice(marked, { stateKey: undefined }),
    ofAlice(marked, { type: 'm.room.message' }),
  ]) {
    assert.equal(saysDeactivated(event), false, JSON.stringify(event));
  }
});
