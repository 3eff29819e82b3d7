import type { InviteListName } from '@portico/protocol/privacy/invites/invite-config.ts';

/** What becomes of an invitation, and what says so. */
export type Decision = {
  readonly action: string;
  readonly rule: string;
  readonly source: string | undefined;
  readonly entry: string | undefined;
};

const outcomes: Readonly<Record<string, string>> = {
  allow: 'Their invitations reach you',
  ignore: 'You see nothing of their invitations, and they do not learn of it',
  block: 'They cannot invite you, and are told so',
};

const lists: Readonly<Record<InviteListName, string>> = {
  allowed_users: 'the people you always let in',
  ignored_users: 'the people you ignore quietly',
  blocked_users: 'the people you refuse',
  allowed_servers: 'the servers you always let in',
  ignored_servers: 'the servers you ignore quietly',
  blocked_servers: 'the servers you refuse',
};

const others: Readonly<Record<string, string>> = {
  'invite.server_notices': 'this is how the server itself speaks to you',
  'invite.ignored_by_user': 'you ignore this person altogether',
  'invite.default_action': 'you let nobody in but those you allow',
  'invite.no_rule': 'nothing you have set speaks of them',
};

export function explainDecision({ action, rule, source, entry }: Decision): string {
  const outcome = outcomes[action] ?? 'The server decides in a way that this page does not know';
  return `${outcome}: ${reasonOf(rule, source, entry)}.`;
}

function reasonOf(rule: string, source: string | undefined, entry: string | undefined): string {
  if (source === 'server_policy') return 'whoever runs the server has set it so for everyone';
  const list = rule.replace(/^invite\./, '');
  if (Object.hasOwn(lists, list)) {
    const where = lists[list as InviteListName];
    return entry === undefined ? `they are among ${where}` : `${entry} is among ${where}`;
  }
  return others[rule] ?? 'a rule that this page does not know says so';
}
