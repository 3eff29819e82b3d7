import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SlidingRequest } from '../../../services/sliding-sync/request.ts';
import { createSlidingRequests } from './sliding-sync-request.ts';
import type { SlidingSyncBody } from './sliding-sync-schema.ts';

const sender = { userId: '@alice:here.example', deviceId: 'PHONE', isAdmin: false, tokenHash: '' };
const parts = { sender, pos: undefined, timeout: 0, waiter: { signal: new AbortController().signal } };

function requestOf(body: SlidingSyncBody): SlidingRequest {
  return createSlidingRequests()(body, parts);
}

test('a timeline has two hundred events at most, of lists and of rooms that are subscribed to', () => {
  for (const [asked, given] of [
    [0, 0],
    [199, 199],
    [200, 200],
    [201, 200],
    [1_000_000, 200],
  ] as const) {
    const config = { timeline_limit: asked };
    const { lists, subscriptions } = requestOf({
      lists: { all: config },
      room_subscriptions: { '!a:here.example': config },
    }).wishes();
    assert.deepEqual([lists.get('all')?.limit, subscriptions.get('!a:here.example')?.limit], [given, given]);
  }
});
