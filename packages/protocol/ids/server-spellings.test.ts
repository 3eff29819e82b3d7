import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideInvite } from '../privacy/invites/decide-invite.ts';
import { parseInviteConfig } from '../privacy/invites/invite-config.ts';
import { decidePresence } from '../privacy/presence/decide.ts';
import { matchRecipient } from '../privacy/presence/match-recipient.ts';
import { openPolicy, type PresencePolicy } from '../privacy/presence/policy.ts';
import { namedRecipientSteps } from '../privacy/presence/recipients.ts';
import { parsePresenceSharing } from '../privacy/presence/sharing.ts';
import { runSteps } from '../steps.ts';

const listsOf = (content: object) => {
  const parsed = parsePresenceSharing({ ...content });
  assert.ok(parsed.kind === 'lists');
  return parsed;
};
/** The same server, for who connects to it, under names that it may give itself. */
const spellings = ['evil.example', 'EVIL.example', 'evil.example.', 'Evil.Example..', 'evil.EXAMPLE:8448'];
const others = ['evil.example.org', 'devil.example', 'example', 'evil-example'];

function rulesFor(policy: Partial<PresencePolicy>, server: string): string {
  const whole = { ...openPolicy, ...policy };
  const facts = { isSelf: false, isIgnored: false, sharedRooms: ['!r:a'] };
  return decidePresence(whole, matchRecipient(whole, `@mallory:${server}`), facts).rule;
}

test('nobody gets past what the server bars by writing the name of theirs differently', () => {
  for (const entry of ['@*:evil.example', '*:evil.example', '@mallory:evil.example', '@*:EVIL.example.']) {
    const overrides = listsOf({ denied_users: [entry] });
    const own = listsOf({ allowed_users: ['*', ...spellings.map((server) => `@mallory:${server}`)] });
    for (const server of spellings) {
      if (entry.includes('EVIL') && server !== 'EVIL.example.') continue;
      const policy: PresencePolicy = { source: 'own', own, overrides };
      assert.equal(rulesFor(policy, server), 'override.denied_user', `${entry} and ${server}`);
      assert.deepEqual(runSteps(namedRecipientSteps(policy, server)).globs, [], `no pattern goes to ${server}`);
    }
    for (const server of others) assert.equal(rulesFor({ own, overrides }, server), 'allowed_user', server);
  }
});

test('nor past what a person denies, where it is the same port', () => {
  for (const entry of ['@*:evil.example', '@mallory:evil.example']) {
    const own = listsOf({ denied_users: [entry] });
    for (const server of spellings) {
      const rule = server.includes(':') ? 'shared_room' : 'denied_user';
      assert.equal(rulesFor({ source: 'own', own }, server), rule, `${entry} and ${server}`);
    }
    for (const server of others) assert.equal(rulesFor({ source: 'own', own }, server), 'shared_room', server);
  }
  const own = listsOf({ denied_users: ['*'], allowed_users: ['@*:evil.example'] });
  assert.equal(rulesFor({ own }, 'EVIL.example'), 'denied_user', 'what is allowed is allowed as it is written');
});

test('nor past those from whom somebody wants no invitations', () => {
  for (const [list, action] of [
    ['ignored_users', 'ignore'],
    ['blocked_users', 'block'],
  ] as const) {
    const decide = (content: object, server: string) => {
      const config = parseInviteConfig({ ...content });
      const rules = { ignored: new Set<string>(), configs: [['m.invite_permission_config', config]] as const };
      return decideInvite(`@mallory:${server}`, rules).action;
    };
    for (const entry of ['@*:evil.example', '@mallory:evil.example']) {
      for (const server of spellings) {
        const expected = server.includes(':') ? 'allow' : action;
        assert.equal(decide({ [list]: [entry] }, server), expected, `${list} ${entry} and ${server}`);
      }
      for (const server of others) assert.equal(decide({ [list]: [entry] }, server), 'allow', server);
    }
    const closed = { allowed_users: ['@*:evil.example'], [list]: ['*'] };
    assert.equal(decide(closed, 'EVIL.example'), action, 'what is allowed is allowed as it is written');
  }
});
