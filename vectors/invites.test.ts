import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { decideInvite } from '@portico/protocol/privacy/invites/decide-invite.ts';
import {
  type InviteConfigType,
  inviteConfigTypes,
  parseInviteConfig,
} from '@portico/protocol/privacy/invites/invite-config.ts';
import { type Cases, readVectors } from './vector-file.ts';

type InviteCase = {
  readonly name: string;
  readonly inviter: string;
  readonly ignored?: readonly string[];
  readonly policy?: JsonObject;
  readonly events: Readonly<Partial<Record<InviteConfigType, JsonObject>>>;
  readonly decision: {
    readonly action: string;
    readonly rule: string;
    readonly source?: string;
    readonly entry?: string;
  };
};

function decide({ inviter, ignored = [], policy, events }: Omit<InviteCase, 'name' | 'decision'>) {
  const {
    source = null,
    entry = null,
    ...rest
  } = decideInvite(inviter, {
    policy: policy && parseInviteConfig(policy),
    ignored: new Set(ignored),
    configs: inviteConfigTypes.flatMap((type) => {
      const content = events[type];
      return content === undefined ? [] : [[type, parseInviteConfig(content)] as const];
    }),
  });
  return { ...rest, source, entry };
}

for (const { name, decision, ...world } of (readVectors('invites/invites.json') as Cases<InviteCase>).cases) {
  test(`invites/invites.json: ${name}`, () => assert.deepEqual(decide(world), { ...decision }));
}

type Row = {
  readonly name: string;
  readonly present: readonly string[];
  readonly action: string;
  readonly rule: string;
};

const inviter = '@bob:b.example';
const { cases } = readVectors('invites/truth-table.json') as Cases<Row>;

/** The content in which each of these rules matches the inviter. */
function contentOf(present: readonly string[]): JsonObject {
  const content: Record<string, JsonObject[string]> = {};
  for (const rule of present) {
    if (rule === 'default_action') content[rule] = 'block';
    else if (rule !== 'ignored_by_user') content[rule] = [rule.endsWith('_users') ? inviter : 'b.*'];
  }
  return content;
}

for (const type of [...inviteConfigTypes, 'policy'] as const) {
  test(`invites/truth-table.json, as ${type}`, () => {
    for (const { name, present, action, rule } of cases) {
      const ofPolicy = type === 'policy';
      if (ofPolicy && present.includes('ignored_by_user')) continue;
      const content = contentOf(present);
      const world = ofPolicy ? { policy: content, events: {} } : { events: { [type]: content } };
      const ignored = present.includes('ignored_by_user') ? [inviter] : [];
      const decision = decide({ inviter, ignored, ...world });
      // What the policy allows is not a word of the person's.
      const expected = ofPolicy && action === 'allow' ? 'invite.no_rule' : rule;
      assert.deepEqual([decision.action, decision.rule], [action, expected], name);
    }
  });
}

test('invites/truth-table.json, with each rule in another event', () => {
  for (const { name, present, action, rule } of cases) {
    for (const turn of [0, 1]) {
      const events: Partial<Record<InviteConfigType, JsonObject>> = {};
      for (const [index, type] of inviteConfigTypes.entries()) {
        events[type] = contentOf(present.filter((_, at) => (at + turn) % inviteConfigTypes.length === index));
      }
      const ignored = present.includes('ignored_by_user') ? [inviter] : [];
      const decision = decide({ inviter, ignored, events });
      assert.deepEqual([decision.action, decision.rule], [action, rule], name);
    }
  }
});
