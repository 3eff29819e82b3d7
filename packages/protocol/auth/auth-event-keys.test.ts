import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../json/value.ts';
import { findRoomVersion } from '../room-versions/registry.ts';
import { authEventKeys } from './auth-event-keys.ts';

const alice = '@alice:a.example';
const bob = '@bob:b.example';
const carol = '@carol:c.example';
const always = ['create', 'power_levels', `member ${alice}`];

/** What an event of Alice is judged by, without the prefix and the empty state keys. */
function keysOf(version: string, type: string, stateKey: string | undefined, content: JsonObject = {}): string[] {
  const rules = findRoomVersion(version);
  assert.ok(rules);
  return authEventKeys(rules, { type, sender: alice, stateKey, content }).map(([of, key]) =>
    `${of.replace('m.room.', '')} ${key}`.trim(),
  );
}

const table: readonly [
  what: string,
  type: string,
  stateKey: string | undefined,
  content: JsonObject,
  more: string[],
][] = [
  ['a message', 'm.room.message', undefined, {}, []],
  ['a message that looks like a membership', 'm.room.message', undefined, { membership: 'join' }, []],
  ['state under the ID of somebody else', 'org.example.of', bob, { membership: 'join' }, []],
  ['a join', 'm.room.member', alice, { membership: 'join' }, ['join_rules']],
  ['a knock', 'm.room.member', alice, { membership: 'knock' }, ['join_rules']],
  ['a leave', 'm.room.member', alice, { membership: 'leave' }, []],
  ['a kick', 'm.room.member', bob, { membership: 'leave' }, [`member ${bob}`]],
  ['a ban', 'm.room.member', bob, { membership: 'ban' }, [`member ${bob}`]],
  ['an invite', 'm.room.member', bob, { membership: 'invite' }, [`member ${bob}`, 'join_rules']],
  ['a membership of nobody', 'm.room.member', undefined, { membership: 'ban' }, []],
  [
    'an invite by a third party',
    'm.room.member',
    bob,
    { membership: 'invite', third_party_invite: { signed: { token: 't' } } },
    [`member ${bob}`, 'join_rules', 'third_party_invite t'],
  ],
  [
    'an invite by a third party whose token is none',
    'm.room.member',
    bob,
    { membership: 'invite', third_party_invite: { signed: { token: 5 } } },
    [`member ${bob}`, 'join_rules'],
  ],
  [
    'a join that mentions an invite by a third party',
    'm.room.member',
    alice,
    { membership: 'join', third_party_invite: { signed: { token: 't' } } },
    ['join_rules'],
  ],
  [
    'a join that somebody vouches for',
    'm.room.member',
    alice,
    { membership: 'join', join_authorised_via_users_server: carol },
    ['join_rules', `member ${carol}`],
  ],
  [
    'a join that the person vouches for',
    'm.room.member',
    alice,
    { membership: 'join', join_authorised_via_users_server: alice },
    ['join_rules'],
  ],
  [
    'a join that somebody tries to make for another, who vouches for it',
    'm.room.member',
    bob,
    { membership: 'join', join_authorised_via_users_server: bob },
    [`member ${bob}`, 'join_rules'],
  ],
  [
    'a join that something vouches for',
    'm.room.member',
    alice,
    { membership: 'join', join_authorised_via_users_server: 7 },
    ['join_rules'],
  ],
  [
    'a leave that somebody vouches for',
    'm.room.member',
    alice,
    { membership: 'leave', join_authorised_via_users_server: carol },
    [],
  ],
];

for (const [what, type, stateKey, content, more] of table) {
  test(`what allows ${what}`, () => {
    assert.deepEqual(keysOf('11', type, stateKey, content), [...always, ...more]);
    assert.deepEqual(keysOf('12', type, stateKey, content), [...always.slice(1), ...more]);
  });
}

test('nothing allows a create event, and nobody vouches for a join before version 8', () => {
  for (const version of ['1', '11', '12']) assert.deepEqual(keysOf(version, 'm.room.create', ''), []);
  const content = { membership: 'join', join_authorised_via_users_server: carol };
  assert.deepEqual(keysOf('7', 'm.room.member', alice, content), [...always, 'join_rules']);
});
