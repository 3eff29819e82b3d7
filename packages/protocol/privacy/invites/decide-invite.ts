import { splitServerName } from '../../ids/server-name.ts';
import { plainSpelling, spellingsOf } from '../../ids/server-spellings.ts';
import { serverNameOf } from '../../ids/user-id.ts';
import { runSteps } from '../../steps.ts';
import { inviteLists, type InviteConfig, type InviteConfigType, type InviteListName } from './invite-config.ts';

/** Ignored: the inviter is told that it went well, and the invitee is told nothing. */
export type InviteAction = 'allow' | 'ignore' | 'block';

export type InviteRule =
  | `invite.${InviteListName}`
  | 'invite.server_notices'
  | 'invite.ignored_by_user'
  | 'invite.default_action'
  | 'invite.no_rule';

/** Whose word it was: the server's own policy, or the event of account data that says so. */
export type InviteSource = 'server_notices' | 'server_policy' | 'm.ignored_user_list' | InviteConfigType;

export type InviteDecision = {
  readonly action: InviteAction;
  readonly rule: InviteRule;
  /** Nobody's, where no rule speaks about the inviter. */
  readonly source: InviteSource | undefined;
  /** The entry of the list that matched, as it was written. */
  readonly entry: string | undefined;
};

export type InviteRules = {
  /** The user through whom the server itself speaks to its people: nobody can shut that out. */
  readonly noticesUser?: string | undefined;
  /** Of the whole server. What it lets pass, the person's own rules may still refuse. */
  readonly policy?: InviteConfig | undefined;
  /** The people in `m.ignored_user_list`. */
  readonly ignored: ReadonlySet<string>;
  /** The person's own events, in the order of `inviteConfigTypes`. */
  readonly configs: readonly (readonly [InviteConfigType, InviteConfig])[];
};

const actions = {
  allowed_users: 'allow',
  ignored_users: 'ignore',
  blocked_users: 'block',
  allowed_servers: 'allow',
  ignored_servers: 'ignore',
  blocked_servers: 'block',
} as const satisfies Record<InviteListName, InviteAction>;

type Source = readonly [InviteSource, InviteConfig];

/**
 * Whether a person gets to see an invitation, and whether the inviter may send it. Yields between steps: the lists may be long.
 *
 * Whether it is blocked has to be known before the inviter is answered, and then nothing but the answer may tell. So every
 * rule is looked at, also where an earlier one has decided: how long it takes says nothing about which one that was.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4155} ("The complete processing logic is as follows")
 */
export function* decideInviteSteps(
  inviter: string,
  { noticesUser, policy, ignored, configs }: InviteRules,
): Generator<void, InviteDecision, void> {
  const byPolicy = yield* decideByConfigs(inviter, policy === undefined ? [] : [['server_policy', policy]]);
  const byPerson = yield* decideByConfigs(inviter, configs);
  if (inviter === noticesUser) {
    return { action: 'allow', rule: 'invite.server_notices', source: 'server_notices', entry: undefined };
  }
  if (byPolicy !== undefined && byPolicy.action !== 'allow') return byPolicy;
  if (ignored.has(inviter)) {
    return { action: 'ignore', rule: 'invite.ignored_by_user', source: 'm.ignored_user_list', entry: inviter };
  }
  return byPerson ?? allowed;
}

export function decideInvite(inviter: string, rules: InviteRules): InviteDecision {
  return runSteps(decideInviteSteps(inviter, rules));
}

const allowed: InviteDecision = Object.freeze({
  action: 'allow',
  rule: 'invite.no_rule',
  source: undefined,
  entry: undefined,
});

/** List by list, so that it makes no difference which of the events an entry is in. */
function* decideByConfigs(
  inviter: string,
  sources: readonly Source[],
): Generator<void, InviteDecision | undefined, void> {
  const server = serverNameOf(inviter) ?? '';
  // "Any `*_servers` glob is to be matched against server names / domain parts of user IDs after stripping any port suffix."
  const host = splitServerName(server)?.host ?? server;
  let decision: InviteDecision | undefined;
  for (const list of inviteLists) {
    const isOfServers = list.endsWith('_servers');
    const name = isOfServers ? host : inviter;
    // As for server ACLs: whoever writes the name of their server differently gets past no entry against it.
    const names = list.startsWith('allowed')
      ? [name]
      : isOfServers
        ? new Set([host, plainSpelling(host)])
        : spellingsOf(inviter);
    for (const [source, { lists }] of sources) {
      for (const spelling of names) {
        const entry = yield* lists[list].findSteps(spelling);
        if (entry !== undefined) decision ??= { action: actions[list], rule: `invite.${list}`, source, entry };
      }
    }
  }
  for (const [source, { blocksByDefault }] of sources) {
    if (blocksByDefault) decision ??= { action: 'block', rule: 'invite.default_action', source, entry: undefined };
  }
  return decision;
}
