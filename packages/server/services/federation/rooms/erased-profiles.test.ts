import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRoomVersion, type JsonObject, type RoomEvent } from '@portico/protocol';
import { createHideErasedProfiles } from './erased-profiles.ts';

const alice = '@alice:here';
const hide = createHideErasedProfiles({ erased: { among: async () => new Set([alice]) }, serverName: 'here' });
const name = { displayname: 'Alice', avatar_url: 'mxc://here/alice', reason: 'tea' };

async function hidden(version: string, sender: string, stateKey: string, content: JsonObject): Promise<unknown> {
  const rules = findRoomVersion(version);
  assert.ok(rules);
  const event = { type: 'm.room.member', sender, stateKey, content } as RoomEvent;
  const text = JSON.stringify({ type: event.type, sender, state_key: stateKey, content });
  const texts = await hide(rules, [{ nid: 1, event }], new Map([[1, text]]));
  return (JSON.parse(texts.get(1) ?? '') as JsonObject)['content'];
}

test('of what erased people said of themselves the membership is left', async () => {
  assert.deepEqual(await hidden('11', alice, alice, { membership: 'join', ...name }), { membership: 'join' });
  const invite = { membership: 'invite', ...name };
  assert.deepEqual(await hidden('11', alice, '@bob:here', invite), invite, 'what they said of others');
  const other = { membership: 'join', ...name };
  assert.deepEqual(await hidden('11', '@carol:here', '@carol:here', other), other, 'others');
});

test('what others called them is not told either; why they put them out is', async () => {
  assert.deepEqual(await hidden('11', '@carol:elsewhere', alice, { membership: 'invite', ...name }), {
    membership: 'invite',
  });
  const ban = { membership: 'ban', reason: 'spam' };
  assert.deepEqual(await hidden('11', '@carol:here', alice, ban), ban);
});

test('others go on learning that they are gone', async () => {
  const gone = { membership: 'leave', 'org.matrix.msc3759.deactivated': true };
  assert.deepEqual(await hidden('11', alice, alice, gone), gone);
});

test('a join stays whole where nothing else would say by whom the person was let in', async () => {
  const join = { membership: 'join', join_authorised_via_users_server: '@bob:here', ...name };
  const { membership, join_authorised_via_users_server } = join;
  assert.deepEqual(await hidden('8', alice, alice, join), join);
  assert.deepEqual(await hidden('9', alice, alice, join), { membership, join_authorised_via_users_server });
});
