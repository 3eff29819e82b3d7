import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import type { CustomMemberRow } from '@portico/storage/stores/unread/custom-rules.ts';
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

function member(userId: string, rules: Rules = {}, ignored: readonly string[] = [], has_pushers = 0): CustomMemberRow {
  const own = Object.entries(rules).map(([kind, list]) => [
    kind,
    list.map((rule) => ({ rule_id: 'own', default: false, enabled: true, actions: [], ...rule })),
  ]);
  return {
    user_id: userId,
    push_rules: JSON.stringify({ global: Object.fromEntries(own) }),
    ignored: JSON.stringify({ ignored_users: Object.fromEntries(ignored.map((user) => [user, {}])) }),
    member_content: '{"membership":"join","displayname":"Mum"}',
    has_pushers,
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
  assert.deepEqual(countEvent(message(), facts, emptyAudience, isLocal), { counts: true, exceptions: [], pushes: [] });
  const topic = { ...message(), type: 'm.room.topic', stateKey: '' };
  assert.deepEqual(countEvent(topic, facts, emptyAudience, isLocal), { counts: false, exceptions: [], pushes: [] });
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

test('those with pushers are told by their own rules, with their own sounds, each set of rules tried once', () => {
  const pushesFor = (members: readonly CustomMemberRow[], event: CountedEvent = message()) =>
    countEvent(event, facts, buildAudience(roomId, members), isLocal).pushes.map(
      ({ userIds, actions }) => `${userIds.join(' ')}: ${JSON.stringify(actions)}`,
    );
  const pushed = (userId: string, rules: Rules = {}, ignored: readonly string[] = []) =>
    member(userId, rules, ignored, 1);
  const loud = { room: [{ rule_id: roomId, actions: ['notify', { set_tweak: 'sound', value: 'gong' }] }] };
  const everyone = [
    pushed('@a:here'),
    pushed('@b:here'),
    pushed('@you:here'),
    pushed('@muted:here', mute),
    pushed('@loud:here', loud),
    pushed('@loud2:here', loud),
    pushed('@ignoring:here', {}, ['@you:here']),
    member('@nobody:here', mentionsOnly),
  ];
  const gong = '["notify",{"set_tweak":"sound","value":"gong"}]';
  assert.deepEqual(pushesFor(everyone), [`@loud:here @loud2:here: ${gong}`, '@a:here @b:here: ["notify"]']);
  const mention = { 'm.mentions': { user_ids: ['@b:here', '@loud:here', '@nobody:here', '@ignoring:here'] } };
  const mentioned = '["notify",{"set_tweak":"sound","value":"default"},{"set_tweak":"highlight"}]';
  assert.deepEqual(pushesFor(everyone, message(mention)), [
    `@loud:here: ${mentioned}`,
    `@b:here: ${mentioned}`,
    `@loud2:here: ${gong}`,
    '@a:here: ["notify"]',
  ]);
  const topic = { ...message(), type: 'm.room.topic', stateKey: '' };
  assert.deepEqual(pushesFor(everyone, topic), [`@loud:here @loud2:here: ${gong}`]);
  // How an event sounds counts nothing otherwise.
  assert.deepEqual(
    countEvent(message(), facts, buildAudience(roomId, [pushed('@loud:here', loud)]), isLocal).exceptions,
    [],
  );
});

test('who has turned that on hears of the threads that they have subscribed to, and of no others', () => {
  const id = (name: string) => ({ rule_id: `.io.element.msc4306.rule.${name}_thread`, default: true });
  const actions = ['notify', { set_tweak: 'sound', value: 'default' }];
  const choosy = { postcontent: [{ ...id('subscribed'), actions }, id('unsubscribed')] };
  const audience = buildAudience(roomId, [
    member('@in:here', choosy, [], 1),
    member('@out:here', choosy, [], 1),
    member('@other:here', {}, [], 1),
  ]);
  const told = (event: CountedEvent, subscribers?: ReadonlySet<string>) => {
    const { exceptions, pushes } = countEvent(event, facts, audience, isLocal, subscribers);
    return [
      exceptions.map(({ userIds, notify, highlight }) => `${userIds.join(' ')}: ${notify}/${highlight}`),
      pushes.map(({ userIds, actions: how }) => `${userIds.join(' ')}: ${JSON.stringify(how)}`),
    ];
  };
  const loudly = JSON.stringify(actions);
  assert.deepEqual(told(message(), new Set(['@in:here', '@other:here'])), [
    ['@out:here: 0/0'],
    [`@in:here: ${loudly}`, '@other:here: ["notify"]'],
  ]);
  assert.deepEqual(told(message()), [[], ['@in:here @out:here: ["notify"]', '@other:here: ["notify"]']]);
  // A mention is more important than that.
  const mention = message({ 'm.mentions': { user_ids: ['@out:here'] } });
  assert.deepEqual(told(mention, new Set())[0], ['@out:here: 1/1', '@in:here: 0/0']);
});

test('who has turned that on is told of everything that is encrypted, except where they have muted the room', () => {
  const told = (rules: Rules, sent: CountedEvent) => {
    const audience = buildAudience(roomId, [member('@me:here', rules, [], 1)]);
    return countEvent(sent, facts, audience, isLocal).pushes.map(({ actions }) => actions);
  };
  const encrypted = { ...message(), type: 'm.room.encrypted' };
  const on = { rule_id: '.org.matrix.msc4028.encrypted_event', default: true, actions: ['notify'] };
  assert.deepEqual(told(mentionsOnly, encrypted), []);
  assert.deepEqual(told({ ...mentionsOnly, override: [on] }, encrypted), [['notify']]);
  assert.deepEqual(told({ ...mentionsOnly, override: [on] }, message()), []);
  assert.deepEqual(told({ override: [...mute.override, on] }, encrypted), []);
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
