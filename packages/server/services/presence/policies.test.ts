import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharingTypes } from '@portico/protocol/privacy/presence/sharing.ts';
import { emptySharingList } from '@portico/protocol/privacy/presence/sharing-list.ts';
import type { Reader } from '@portico/storage';
import { createPolicies } from './policies.ts';

const size = 1024 * 1024;
/** As large as account data may be, and of short entries. */
const largest = JSON.stringify({
  allowed_users: Array.from({ length: size / 16 }, (_, i) => `@${i.toString(36).padStart(4, '0')}:a.b`),
});

function policiesOf(content: string) {
  const reader = {
    all: async () => [{ type: sharingTypes.stable, content, stream_position: 1 }],
  } as unknown as Reader;
  const overrides = { allowed: emptySharingList, denied: emptySharingList };
  const ignored = { of: async () => new Set<string>() };
  return createPolicies({ reader, ignored, rules: { default: undefined, overrides } });
}

test('of the largest settings only so many are kept in memory, whoever is online', async () => {
  const policies = policiesOf(largest);
  const people = Array.from({ length: 30 }, (_, i) => `@${i}:hs1`);
  for (const userId of people) assert.equal((await policies.load(userId)).isHeavy, true);
  const kept = people.filter((userId) => policies.known(userId) !== undefined).length;
  assert.ok(kept >= 1 && kept <= 8, `${kept} are kept`);
});

test('of settings as people have them those of thousands are', async () => {
  const policies = policiesOf(JSON.stringify({ allowed_users: ['*:friends.example'] }));
  const people = Array.from({ length: 5000 }, (_, i) => `@${i}:hs1`);
  for (const userId of people) await policies.load(userId);
  assert.ok(people.every((userId) => policies.known(userId) !== undefined));
});
