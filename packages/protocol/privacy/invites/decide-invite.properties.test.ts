import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadTime } from '@portico/testkit/thread-time.ts';
import fc from 'fast-check';
import { compileGlob } from '../../glob.ts';
import type { JsonObject } from '../../json/value.ts';
import { decideInvite, type InviteAction } from './decide-invite.ts';
import { inviteConfigTypes, parseInviteConfig } from './invite-config.ts';

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

test('the largest configuration that account data holds costs little', () => {
  // 1 MiB of entries none of which matches: short ones, long ones, and ones that nearly match.
  const shapes = [
    (index: number) => `*_${index.toString(36)}*`,
    (index: number) => `@*${'a'.repeat(200)}${index}*e`,
    (index: number) => `*${'a*'.repeat(100)}b_${index}*`,
    (index: number) => `@a?_${index.toString(36)}*e`,
  ];
  for (const shape of shapes) {
    const entries: string[] = [];
    for (let size = 0; size < 1024 * 1024; size += (entries.at(-1)?.length ?? 0) + 3)
      entries.push(shape(entries.length));
    const config = parseInviteConfig({ blocked_users: entries });
    const inviter = `@${'a'.repeat(230)}:b.example`;
    const start = threadTime();
    const decision = decideInvite(inviter, { ignored: new Set(), configs: [['m.invite_permission_config', config]] });
    const took = threadTime() - start;
    assert.equal(decision.action, 'allow');
    assert.ok(took < 2000, `${entries.length} entries took ${took} ms`);
  }
});
