import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileGlob } from '../../glob.ts';
import type { JsonObject } from '../../json/value.ts';
import { runSteps, stepSize } from '../../steps.ts';
import { decideInvite, decideInviteSteps, type InviteAction } from './decide-invite.ts';
import { inviteConfigSteps, inviteConfigTextSteps, inviteConfigTypes, parseInviteConfig } from './invite-config.ts';

const pattern = fc.stringMatching(/^[@ab:.*?]{0,6}$/);
const patterns = fc.array(pattern, { maxLength: 3 });
const content = fc.record(
  {
    enabled: fc.boolean(),
    allowed_users: patterns,
    ignored_users: patterns,
    blocked_users: patterns,
    allowed_servers: patterns,
    ignored_servers: patterns,
    blocked_servers: fc.oneof(patterns, fc.constant(null), fc.constant('*'), fc.constant([7])),
    default_action: fc.constantFrom('block', 'allow'),
  },
  { requiredKeys: [] },
);
const world = fc.record({
  inviter: fc.stringMatching(/^@[ab]{0,2}:[ab]\.[ab]{1,2}$/),
  isIgnored: fc.boolean(),
  policy: fc.option(content, { nil: undefined }),
  events: fc.array(content, { maxLength: 3 }),
});

type Content = { readonly [name: string]: unknown };

/** The order of the proposals, step by step, for one set of events. */
function literally(inviter: string, events: readonly Content[]): InviteAction | undefined {
  const listNames = [
    'allowed_users',
    'ignored_users',
    'blocked_users',
    'allowed_servers',
    'ignored_servers',
    'blocked_servers',
  ];
  const isList = (value: unknown) => Array.isArray(value) && value.every((entry) => typeof entry === 'string');
  const valid = events.filter(
    (event) =>
      event['enabled'] !== false && listNames.every((list) => event[list] === undefined || isList(event[list])),
  );
  const matches = (list: string, subject: string) =>
    valid.some((event) => ((event[list] ?? []) as string[]).some((entry) => compileGlob(entry)(subject)));
  const server = inviter.slice(inviter.indexOf(':') + 1);
  if (matches('allowed_users', inviter)) return 'allow';
  if (matches('ignored_users', inviter)) return 'ignore';
  if (matches('blocked_users', inviter)) return 'block';
  if (matches('allowed_servers', server)) return 'allow';
  if (matches('ignored_servers', server)) return 'ignore';
  if (matches('blocked_servers', server)) return 'block';
  return events.some((event) => event['default_action'] === 'block') ? 'block' : undefined;
}

test('decides as the proposals say, whatever the configurations', () => {
  fc.assert(
    fc.property(world, ({ inviter, isIgnored, policy, events }) => {
      const byPolicy = policy === undefined ? undefined : literally(inviter, [policy]);
      const expected =
        byPolicy === 'block' || byPolicy === 'ignore'
          ? byPolicy
          : isIgnored
            ? 'ignore'
            : (literally(inviter, events) ?? 'allow');
      const decision = decideInvite(inviter, {
        policy: policy && parseInviteConfig(policy),
        ignored: new Set(isIgnored ? [inviter] : []),
        configs: events.map((event, index) => [
          inviteConfigTypes[index] ?? 'm.invite_permission_config',
          parseInviteConfig(event as JsonObject),
        ]),
      });
      assert.equal(decision.action, expected);
      // What decided is said, and it is true.
      if (decision.rule === 'invite.no_rule') assert.equal(decision.source, undefined);
      else assert.notEqual(decision.source, undefined);
      if (decision.entry !== undefined && decision.rule !== 'invite.ignored_by_user') {
        const subject = decision.rule.endsWith('_users') ? inviter : inviter.slice(inviter.indexOf(':') + 1);
        assert.ok(compileGlob(decision.entry)(subject));
      }
    }),
    { numRuns: 2000 },
  );
});

test('an event says the same as a text that is read in steps', () => {
  const value = fc.oneof(
    patterns,
    fc.array(fc.jsonValue(), { maxLength: 2 }),
    fc.jsonValue(),
    fc.constant('x'.repeat(500)),
  );
  const list = fc.constantFrom(
    'allowed_users',
    'ignored_users',
    'blocked_users',
    'blocked_servers',
    'enabled',
    'other',
  );
  const inviter = fc.stringMatching(/^@[ab]{0,2}:[ab]\.[ab]{1,2}$/);
  const property = fc.property(fc.oneof(content, fc.dictionary(list, value)), inviter, (event, inviter) => {
    const config = runSteps(inviteConfigTextSteps(JSON.stringify(event)));
    const expected = parseInviteConfig(event as JsonObject);
    assert.ok(config);
    assert.deepEqual([config.flaw, config.blocksByDefault], [expected.flaw, expected.blocksByDefault]);
    const decide = (each: typeof expected) =>
      decideInvite(inviter, { ignored: new Set(), configs: [['m.invite_permission_config', each]] });
    assert.deepEqual(decide(config), decide(expected));
  });
  fc.assert(property, { numRuns: 2000 });
});

test('never fails, whatever the content of the events', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.jsonValue(), { maxLength: 3 }), (inviter, values) => {
      const configs = values.flatMap((value) =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? [['m.invite_permission_config', parseInviteConfig(value as JsonObject)] as const]
          : [],
      );
      decideInvite(inviter, { ignored: new Set(), configs });
    }),
  );
});

test('the largest configuration that account data holds is read and asked in small steps', () => {
  const mebibyte = 1024 * 1024;
  const shapes: Readonly<Record<string, (index: number) => string>> = {
    short: (index) => `*_${index.toString(36)}*`,
    long: (index) => `@*${'a'.repeat(200)}${index}*e`,
    'nearly matching': (index) =>
      `@*${index.toString(2).padStart(20, '0').replaceAll('0', 'a*').replaceAll('1', 'a?')}z*`,
    'with question marks': (index) => `@a?_${index.toString(36)}*e`,
    names: (index) => `@name${index}:a.example`,
    empty: () => '',
  };
  for (const [what, shape] of Object.entries(shapes)) {
    const entries: string[] = [];
    let size = 0;
    for (; size < mebibyte; size += (entries.at(-1)?.length ?? 0) + 3) entries.push(shape(entries.length));
    const work = entries.reduce((sum, entry) => sum + entry.length + 1, 0);
    /** One more entry than fits may come into a step. */
    const fewest = Math.floor(work / (stepSize + 512));
    const [parsing, config] = countSteps(inviteConfigSteps({ blocked_users: entries }));
    assert.ok(parsing >= fewest, `${what}: ${parsing} steps of parsing`);
    const inviter = `@${'a'.repeat(230)}:b.example`;
    const rules = { ignored: new Set<string>(), configs: [['m.invite_permission_config', config]] as const };
    const [asking, decision] = countSteps(decideInviteSteps(inviter, rules));
    assert.equal(decision.action, 'allow');
    if (what === 'nearly matching') assert.ok(asking >= fewest, `${asking} steps of asking`);
    else assert.equal(asking, 1, what);
  }
});

test('nothing that is done to decide tells what was decided, but the decision', () => {
  const inviter = '@mallory:b.example';
  const bits = (index: number) => index.toString(2).padStart(15, '0').replaceAll('0', 'e*').replaceAll('1', 'e?');
  const filler = Array.from({ length: 1500 }, (_, index) => `*${bits(index)}*`);
  const stepsWith = (over: Record<string, string[]>, ignored: readonly string[] = []) => {
    const lists = ['allowed', 'ignored', 'blocked'].flatMap((kind) => [
      [`${kind}_users`, [...(over[`${kind}_users`] ?? ['@nobody*:x']), ...filler]],
      [`${kind}_servers`, [...(over[`${kind}_servers`] ?? ['nobody*.x']), ...filler]],
    ]);
    const config = parseInviteConfig(Object.fromEntries(lists) as JsonObject);
    const configs = [['m.invite_permission_config', config]] as const;
    const [steps, decision] = countSteps(
      decideInviteSteps(inviter, { policy: config, ignored: new Set(ignored), configs }),
    );
    return [decision.action, steps] as const;
  };
  const [action, steps] = stepsWith({});
  assert.equal(action, 'allow');
  assert.ok(steps > 20, `${steps} steps`);
  for (const entry of [inviter, '@mal*ple']) {
    assert.deepEqual(stepsWith({ allowed_users: [entry] }), ['allow', steps]);
    assert.deepEqual(stepsWith({ ignored_users: [entry] }), ['ignore', steps]);
    assert.deepEqual(stepsWith({ blocked_users: [entry] }), ['block', steps]);
  }
  assert.deepEqual(stepsWith({ allowed_servers: ['*.ex*ple'] }), ['allow', steps]);
  assert.deepEqual(stepsWith({ ignored_servers: ['*.ex*ple'] }), ['ignore', steps]);
  assert.deepEqual(stepsWith({}, [inviter]), ['ignore', steps]);
});

test('a pattern that nobody can match costs nothing, however long it is', () => {
  const endless = `@${'a?'.repeat(500_000)}*`;
  const stars = `${'*'.repeat(1_000_000)}:b.example`;
  const [, config] = countSteps(inviteConfigSteps({ blocked_users: [endless, stars] }));
  const rules = { ignored: new Set<string>(), configs: [['m.invite_permission_config', config]] as const };
  const [steps, decision] = countSteps(decideInviteSteps('@a:b.example', rules));
  assert.deepEqual([steps, decision.action, decision.entry], [1, 'block', stars]);
  assert.equal(decideInvite('@a:c.example', rules).action, 'allow');
});

function countSteps<T>(steps: Generator<void, T, void>): readonly [number, T] {
  for (let count = 1; ; count++) {
    const { done, value } = steps.next();
    if (done === true) return [count, value];
  }
}
