import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import type { CustomMemberRow } from '@portico/storage/stores/custom-rules.ts';
import { type CountedEvent, countEvent, senderReads } from './assess.ts';
import { buildAudience, emptyAudience } from './audience.ts';

const roomId = '!room:here';
const facts = { memberCount: () => 3, mayNotify: () => true };
const isLocal = (userId: string): boolean => userId.endsWith(':here');
const message = (content: JsonObject = {}, sender = '@you:here') => ({
  roomNid: 1,
  roomId,
  type: 'm.room.message',
  stateKey: undefined,
  sender,
  content: { msgtype: 'm.text', body: 'hello Mum', ...content },
  previousMembership: undefined,
});

type Rules = { readonly [kind: string]: readonly object[] };

function member(userId: string, rules: Rules = {}, ignored: readonly string[] = []): CustomMemberRow {
  const own = Object.entries(rules).map(([kind, list]) => [
    kind,
    list.map((rule) => ({ rule_id: 'own', default: false, enabled: true, actions: [], ...rule })),
  ]);
  return {
    user_id: userId,
    push_rules: JSON.stringify({ global: Object.fromEntries(own) }),
    ignored: JSON.stringify({ ignored_users: Object.fromEntries(ignored.map((user) => [user, {}])) }),
    member_content: '{"membership":"join","displayname":"Mum"}',
  };
}

const mute = { override: [{ conditions: [{ kind: 'event_match', key: 'room_id', pattern: roomId }] }] };
const mentionsOnly = { room: [{ rule_id: roomId }] };
const highlight = ['notify', { set_tweak: 'highlight' }];

function rowsFor(members: readonly CustomMemberRow[], event: CountedEvent = message()): string[] {
  const { exceptions } = countEvent(event, facts, buildAudience(roomId, members), isLocal);
  return exceptions.map((row) => `${row.userIds.join(' ')}: ${row.notify}/${row.highlight}`);
}

test('a plain message counts without a row', () => {
  assert.deepEqual(countEvent(message(), facts, emptyAudience, isLocal), { counts: true, exceptions: [] });
  const topic = { ...message(), type: 'm.room.topic', stateKey: '' };
  assert.deepEqual(countEvent(topic, facts, emptyAudience, isLocal), { counts: false, exceptions: [] });
});

test('a thousand people who muted the room, or hear mentions only, need no row for what they do not hear', () => {
  const members = Array.from({ length: 1000 }, (_unused, n) =>
    member(`@u${n}:here`, n % 2 === 0 ? mute : mentionsOnly),
  );
  const audience = buildAudience(roomId, members);
  assert.equal(audience.groups.length, 2);
  assert.deepEqual(rowsFor(members), []);
  assert.deepEqual(rowsFor(members, message({ 'm.mentions': { room: true } })), [': 1/1']);
});

test('people of one set of rules share one evaluation and one row', () => {
  const keyword = { content: [{ pattern: 'mum', actions: highlight }] };
  const members = ['@a:here', '@b:here', '@you:here'].map((userId) => member(userId, keyword));
  assert.deepEqual(rowsFor(members), ['@a:here @b:here: 1/1']);
});

test('rules that sound otherwise, or are for other rooms, make nobody different', () => {
  const members = [member('@a:here', { room: [{ rule_id: '!other:here' }] }), member('@b:here')];
  assert.deepEqual(buildAudience(roomId, members).groups, []);
});

test('mentions are rows for those mentioned, by their own rules', () => {
  const mentions = { 'm.mentions': { user_ids: ['@a:here', '@m:here', '@you:here', '@far:away', '@a:here', 7] } };
  const { exceptions } = countEvent(
    message(mentions),
    facts,
    buildAudience(roomId, [member('@m:here', mute)]),
    isLocal,
  );
  assert.deepEqual(exceptions, [
    { userIds: ['@a:here'], onlyMembers: true, notify: 1, highlight: 1, baseNotify: 1, baseHighlight: 0 },
  ]);
  assert.deepEqual(rowsFor([member('@m:here', mentionsOnly)], message({ 'm.mentions': { user_ids: ['@m:here'] } })), [
    '@m:here: 1/1',
  ]);
});

test('what counts for a few only is nothing for everyone else', () => {
  const topic = { ...message(), type: 'm.room.topic', stateKey: '' };
  const everything = { room: [{ rule_id: roomId, actions: ['notify'] }] };
  assert.deepEqual(rowsFor([member('@a:here', everything)], topic), ['@a:here: 1/0', ': 0/0']);
});

test('nothing of whom somebody ignores counts for them', () => {
  const members = [member('@a:here', {}, ['@you:here']), member('@b:here', mute, ['@you:here'])];
  assert.deepEqual(rowsFor(members), ['@a:here: 0/0']);
  assert.deepEqual(rowsFor(members, message({ 'm.mentions': { user_ids: ['@a:here'] } })), ['@a:here: 0/0']);
  assert.deepEqual(rowsFor(members, message({}, '@other:here')), []);
});

test('old rules for one’s display name still work', () => {
  const named = { override: [{ conditions: [{ kind: 'contains_display_name' }], actions: highlight }] };
  assert.deepEqual(rowsFor([member('@a:here', named)]), ['@a:here: 1/1']);
  assert.deepEqual(rowsFor([member('@a:here', named)], message({ body: 'Mumble' })), []);
});

test('joining reads everything, sending reads its thread, a new name reads nothing', () => {
  const own = (membership: string, previousMembership: string) => ({
    ...message({ membership }, '@me:here'),
    type: 'm.room.member',
    stateKey: '@me:here',
    previousMembership,
  });
  assert.equal(senderReads(message()), 'thread');
  assert.equal(senderReads(own('join', 'invite')), 'everything');
  assert.equal(senderReads(own('join', 'join')), undefined);
  assert.equal(senderReads(own('leave', 'join')), undefined);
});
