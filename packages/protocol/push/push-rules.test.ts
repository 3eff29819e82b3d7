import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadTime } from '@portico/testkit/thread-time.ts';
import fc from 'fast-check';
import { compiledDefaultRules, compilePushRules, evaluatePush } from './compile-rules.ts';
import { countingKey, defaultCountingKey, outcomeKey } from './count-rules.ts';
import { compileCondition } from './conditions.ts';
import { defaultPushRules, ownUserId } from './default-rules.ts';
import { changePushRule, deletePushRule, type Neighbours, putPushRule, type RuleEdit } from './edit-rules.ts';
import { type EffectiveRule, effectiveRules, rulesInRoom } from './effective-rules.ts';
import { outcomeOf } from './outcome.ts';
import { hasTooManyPushRules, parsePushRule } from './parse-rule.ts';
import type { PushAction, PushRuleset } from './rule.ts';
import { readPushRules, renderPushRules } from './stored-rules.ts';
import { compileWordPattern } from './word-pattern.ts';

const context = { userId: '@me:here', displayName: undefined, memberCount: () => 3, mayNotify: () => false };
const message = (body: string) => ({
  type: 'm.room.message',
  sender: '@you:here',
  roomId: '!room:here',
  stateKey: undefined,
  content: { msgtype: 'm.text', body },
});

function done(edit: RuleEdit): PushRuleset {
  if (edit.kind !== 'done') throw new Error(edit.kind);
  return edit.ruleset;
}

const put = (ruleset: PushRuleset, rule_id: string, place: Neighbours = {}): RuleEdit =>
  putPushRule(ruleset, 'content', { rule_id, pattern: rule_id, actions: ['notify'] }, place);

const ids = (ruleset: PushRuleset): string[] => ruleset.content.map((rule) => rule.rule_id);

test('new rules are the most important ones of their kind, unless they say where they stand', () => {
  let rules = done(put(defaultPushRules, 'a'));
  rules = done(put(rules, 'b'));
  assert.deepEqual(ids(rules), ['b', 'a']);
  rules = done(put(rules, 'c', { before: 'a' }));
  assert.deepEqual(ids(rules), ['b', 'c', 'a']);
  rules = done(put(rules, 'd', { after: 'a' }));
  assert.deepEqual(ids(rules), ['b', 'c', 'a', 'd']);
  rules = done(put(rules, 'e', { before: 'a', after: 'b' }));
  assert.deepEqual(ids(rules), ['b', 'c', 'e', 'a', 'd']);
  rules = done(put(rules, 'd', { before: 'b' }));
  assert.deepEqual(ids(rules), ['d', 'b', 'c', 'e', 'a']);
  rules = done(put(rules, 'e'));
  assert.deepEqual(ids(rules), ['d', 'b', 'c', 'e', 'a']);
  assert.deepEqual(put(rules, 'f', { before: 'z' }), { kind: 'no-neighbour', ruleId: 'z' });
});

test('own override rules stand behind the master rule and before the other default ones', () => {
  const rules = done(putPushRule(defaultPushRules, 'override', { rule_id: 'own', actions: [], conditions: [] }, {}));
  assert.deepEqual(
    rules.override.slice(0, 3).map((rule) => rule.rule_id),
    ['.m.rule.master', 'own', '.org.matrix.msc4028.encrypted_event'],
  );
  const nextToDefault = { before: '.m.rule.suppress_notices' };
  const beside = putPushRule(rules, 'override', { rule_id: 'x', actions: [], conditions: [] }, nextToDefault);
  assert.equal(beside.kind, 'no-neighbour');
});

test('a rule that is replaced stays as enabled as it was', () => {
  const rules = done(changePushRule(done(put(defaultPushRules, 'a')), 'content', 'a', { enabled: false }));
  assert.equal(done(put(rules, 'a')).content[0]?.enabled, false);
});

test('default rules can be changed and not deleted', () => {
  assert.deepEqual(deletePushRule(defaultPushRules, 'underride', '.m.rule.message'), { kind: 'not-found' });
  const rules = done(changePushRule(defaultPushRules, 'underride', '.m.rule.message', { actions: [] }));
  const compiled = compilePushRules(effectiveRules(rules));
  assert.equal(evaluatePush(compiled, message('hello'), context)?.notify, false);
});

test('rules survive being shown and read back', () => {
  let rules = done(put(defaultPushRules, 'a'));
  rules = done(changePushRule(rules, 'override', '.m.rule.master', { enabled: true }));
  const shown = renderPushRules(rules, '@me:here');
  assert.match(JSON.stringify(shown), /"value":"@me:here"/);
  assert.doesNotMatch(JSON.stringify(shown), /own-user-id/);
  assert.deepEqual(readPushRules(JSON.parse(JSON.stringify(shown))), rules);
});

test('what is stored and is no rule is left out', () => {
  const rules = readPushRules({ global: { content: [1, { rule_id: 'x' }, null], override: 'none' } });
  assert.deepEqual(rules, defaultPushRules);
});

test('the master rule decides before all others', () => {
  let rules = done(
    putPushRule(defaultPushRules, 'override', { rule_id: 'own', actions: ['notify'], conditions: [] }, {}),
  );
  rules = done(changePushRule(rules, 'override', '.m.rule.master', { enabled: true }));
  assert.equal(evaluatePush(compilePushRules(effectiveRules(rules)), message('hello'), context)?.notify, false);
});

test('rules for other rooms, and sounds, leave the rules that count as they are', () => {
  let rules = done(putPushRule(defaultPushRules, 'room', { rule_id: '!other:here', actions: [] }, {}));
  const conditions = [{ kind: 'event_match', key: 'room_id', pattern: '!other:here' }];
  rules = done(putPushRule(rules, 'override', { rule_id: '!other:here', actions: [], conditions }, {}));
  const actions = ['notify', { set_tweak: 'sound', value: 'bell' }];
  rules = done(changePushRule(rules, 'underride', '.m.rule.message', { actions }));
  assert.equal(countingKey(rulesInRoom(effectiveRules(rules), '!room:here')), defaultCountingKey);
  assert.notEqual(countingKey(rulesInRoom(effectiveRules(rules), '!other:here')), defaultCountingKey);
});

test('rule IDs and bodies that cannot be are refused', () => {
  const kindOf = (ruleId: string, body: object, kind: 'content' | 'override' = 'content') =>
    parsePushRule(kind, ruleId, body as never).kind;
  const fine = { actions: ['notify'], pattern: 'cake' };
  assert.equal(kindOf('x', fine), 'rule');
  for (const id of ['.m.rule.x', '.', 'a/b', 'a\\b', '', 'x'.repeat(256)])
    assert.equal(kindOf(id, fine), 'invalid', id);
  assert.equal(kindOf('x', { pattern: 'cake' }), 'missing');
  assert.equal(kindOf('x', { actions: [] }), 'missing');
  for (const body of [
    { ...fine, actions: 'notify' },
    { ...fine, actions: [1] },
    { ...fine, pattern: 3 },
  ]) {
    assert.equal(kindOf('x', body), 'invalid');
  }
  assert.equal(kindOf('x', { ...fine, pattern: '*'.repeat(513) }), 'invalid');
  for (const conditions of [{}, [1], [{}], [{ kind: 1 }]]) {
    assert.equal(kindOf('x', { actions: [], conditions }, 'override'), 'invalid');
  }
  assert.equal(kindOf('x', { actions: [] }, 'override'), 'rule');
});

test('there is an end to how many rules somebody may have', () => {
  const content = Array.from({ length: 101 }, (_unused, index) => ({
    rule_id: String(index),
    default: false,
    enabled: true,
    actions: [],
    pattern: `a*${index}`,
  }));
  assert.equal(hasTooManyPushRules({ ...defaultPushRules, content }), true);
  assert.equal(hasTooManyPushRules({ ...defaultPushRules, content: content.slice(1) }), false);
});

test('the rules of several people name none of them', () => {
  const nobody = { ...context, userId: undefined };
  const own = { kind: 'event_match', key: 'state_key', pattern: ownUserId };
  const mention = { kind: 'event_property_contains', key: 'content.ids', value: ownUserId };
  for (const condition of [own, mention]) {
    const holds = compileCondition(condition);
    const event = { ...message('x'), stateKey: '@me:here', content: { ids: ['@me:here'] } };
    assert.equal(holds(event, context), true);
    assert.equal(holds(event, nobody), false);
    assert.equal(holds({ ...event, stateKey: undefined, content: { ids: [] } }, nobody), false);
  }
});

test('words are looked for at the beginning of a long body', () => {
  const holds = compileCondition({ kind: 'event_match', key: 'content.body', pattern: 'cake' });
  assert.equal(holds(message(`${' '.repeat(16_380)}cake`), context), true);
  assert.equal(holds(message(`${' '.repeat(16_381)}cake`), context), false);
});

test('in one room the rules say what they say in all, and those of other rooms are left out', () => {
  const roomId = '!Room:here';
  const conditions = {
    literal: { kind: 'event_match', key: 'room_id', pattern: '!rOOM:here' },
    otherLiteral: { kind: 'event_match', key: 'room_id', pattern: '!other:here' },
    glob: { kind: 'event_match', key: 'room_id', pattern: '!r*' },
    is: { kind: 'event_property_is', key: 'room_id', value: roomId },
    isOther: { kind: 'event_property_is', key: 'room_id', value: '!room:here' },
    contains: { kind: 'event_property_contains', key: 'room_id', value: roomId },
    own: { kind: 'event_match', key: 'room_id', pattern: ownUserId },
    unknown: { kind: 'org.example.unknown', key: 'room_id', pattern: roomId },
    broken: { kind: 'event_match', key: 'room_id', value: roomId },
    body: { kind: 'event_match', key: 'content.body', pattern: 'tea' },
  };
  const names = Object.keys(conditions) as (keyof typeof conditions)[];
  const ruleOf = (list: readonly (keyof typeof conditions)[]) => ({
    ruleId: list.join('+'),
    conditions: list.map((name) => conditions[name]),
    actions: ['notify'],
  });
  const event = { ...message('tea'), roomId };
  const outcomeIn = (rules: readonly EffectiveRule[]) => evaluatePush(compilePushRules(rules), event, context)?.ruleId;
  for (const one of names) {
    for (const other of names) {
      const rules = [ruleOf([one, other]), ruleOf(['body']), ruleOf([])];
      assert.equal(outcomeIn(rulesInRoom(rules, roomId)), outcomeIn(rules), `${one}, ${other}`);
    }
  }
  const left = rulesInRoom(
    [['otherLiteral'], ['isOther', 'body'], ['literal', 'body'], ['glob'], ['is', 'literal'], ['body']].map((list) =>
      ruleOf(list as (keyof typeof conditions)[]),
    ),
    roomId,
  );
  assert.deepEqual(
    left.map((rule) => [rule.ruleId, rule.conditions.length]),
    [
      ['literal+body', 1],
      ['glob', 1],
      ['is+literal', 0],
    ],
  );
});

test('actions that servers ignore are left out, and a rule needs no conditions', () => {
  const actions = ['notify', 'dont_notify', { set_tweak: 'sound', value: 'bell' }, 'coalesce', 'org.example.shout'];
  assert.deepEqual(outcomeOf('x', actions).actions, ['notify', actions[2], 'org.example.shout']);
  const override = [{ rule_id: 'all', default: false, enabled: true, actions }];
  const rules = effectiveRules({ ...defaultPushRules, override });
  assert.deepEqual(rules[0], { ruleId: 'all', conditions: [], actions });
});

test('threads are quiet for who has not subscribed to them, once somebody turns that on', () => {
  const { postcontent } = defaultPushRules;
  assert.deepEqual(
    postcontent.map((rule) => [rule.rule_id, rule.enabled, rule.actions]),
    [
      ['.io.element.msc4306.rule.subscribed_thread', false, ['notify', { set_tweak: 'sound', value: 'default' }]],
      ['.io.element.msc4306.rule.unsubscribed_thread', false, []],
    ],
  );
});

test('rules count alike if they match alike, notify alike and highlight alike', () => {
  const keyOf = (pattern: string, actions: readonly PushAction[]) =>
    countingKey([{ ruleId: 'x', conditions: [{ kind: 'event_match', key: 'content.x', pattern }], actions }]);
  const notify = keyOf('a', ['notify']);
  assert.equal(keyOf('a', ['notify', { set_tweak: 'sound', value: 'bell' }]), notify);
  const others = [keyOf('b', ['notify']), keyOf('a', []), keyOf('a', ['notify', { set_tweak: 'highlight' }])];
  assert.equal(new Set([notify, ...others]).size, 4);
  const outcomeOfRule = (pattern: string, actions: readonly PushAction[]) =>
    outcomeKey([{ ruleId: 'x', conditions: [{ kind: 'event_match', key: 'content.x', pattern }], actions }]);
  const sound = { set_tweak: 'sound', value: 'bell' };
  const outcomes = [
    outcomeOfRule('a', ['notify']),
    outcomeOfRule('b', ['notify']),
    outcomeOfRule('a', ['notify', sound]),
  ];
  assert.equal(new Set(outcomes).size, 3);
  assert.equal(outcomeOfRule('a', ['notify', 'dont_notify']), outcomes[0]);
});

/** The definition, tried on every substring. */
function matchesSomeSubstring(pattern: string, text: string): boolean {
  const isWord = (index: number): boolean => /[A-Za-z0-9_]/.test(text[index] ?? ' ');
  const whole = new RegExp(
    `^${Array.from(pattern, (c) => (c === '*' ? '.*' : c === '?' ? '.' : c.replace(/\W/, '\\$&'))).join('')}$`,
    's',
  );
  for (let start = 0; start <= text.length; start++) {
    if (start > 0 && isWord(start - 1) && isWord(start)) continue;
    for (let end = start; end <= text.length; end++) {
      const atEnd = end === text.length || !isWord(end) || (end > start && !isWord(end - 1));
      if (atEnd && whole.test(text.slice(start, end))) return true;
    }
  }
  return false;
}

test('word patterns match as their definition says', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '-', '_'), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '-', '?', '*'), minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(pattern, text, (glob, body) => {
      // A pattern of stars matches the empty word at the beginning of any text.
      assert.equal(compileWordPattern(glob)(body), matchesSomeSubstring(glob, body));
    }),
    { numRuns: 3000 },
  );
});

test('patterns longer than a machine word match too', () => {
  const word = 'a'.repeat(20) + '?' + 'b'.repeat(60);
  assert.equal(compileWordPattern(word)(`x ${'a'.repeat(20)}c${'b'.repeat(60)} y`), true);
  assert.equal(compileWordPattern(word)(`x ${'a'.repeat(20)}c${'b'.repeat(61)} y`), false);
});

test('no pattern makes an event expensive', () => {
  const body = 'a'.repeat(65_000);
  const patterns = [`${'a*'.repeat(255)}b`, `${'?'.repeat(255)}b`, `${'*a?'.repeat(170)}b`, `${'a'.repeat(500)}b`];
  for (const pattern of patterns) {
    const conditions = ['content.body', 'content.formatted_body'].map((key) => ({ kind: 'event_match', key, pattern }));
    const rules = conditions.map((condition, index) => ({
      rule_id: String(index),
      default: false,
      enabled: true,
      actions: [],
      conditions: [condition],
    }));
    const compiled = compilePushRules(effectiveRules({ ...defaultPushRules, override: rules }));
    const event = { ...message(body), content: { body, formatted_body: body } };
    const start = threadTime();
    evaluatePush(compiled, event, context);
    const took = threadTime() - start;
    // Some milliseconds; with backtracking it would be years.
    assert.ok(took < 500, `${pattern.slice(0, 10)}… took ${took} ms`);
  }
});

test('a plain message costs the default rules about a microsecond at most', () => {
  const event = message('hello there');
  const tries = 50_000;
  const best = Math.min(
    ...Array.from({ length: 5 }, () => {
      const start = threadTime();
      for (let i = 0; i < tries; i++) evaluatePush(compiledDefaultRules, event, context);
      return ((threadTime() - start) / tries) * 1000;
    }),
  );
  assert.ok(best < 2, `${best} µs`);
});
