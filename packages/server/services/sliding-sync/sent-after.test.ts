import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequiredState, sizeOfRequiredState } from '@portico/protocol/sliding-sync/required-state.ts';
import type { SentRoom } from './connection-state.ts';
import type { JoinedWish } from './plan.ts';
import { sentAfter } from './sent-after.ts';

test('a client that wants other state each time does not make what is remembered of it larger and larger', () => {
  let before: SentRoom | undefined;
  for (let turn = 0; turn < 20; turn++) {
    const pairs = Array.from({ length: 100 }, (_, index) => [`t${turn}.${index}`, '']);
    const config = { limit: 1, state: parseRequiredState(pairs, '@a:x') };
    const wish = { wanted: { config }, before, isDm: false, isExpanded: false } as unknown as JoinedWish;
    before = sentAfter(wish, undefined);
    assert.ok(config.state.entries.isSubsetOf(before.state.entries));
    assert.ok(sizeOfRequiredState(before.state) <= 400);
  }
});
