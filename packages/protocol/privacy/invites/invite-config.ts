import { memberSteps } from '../../json/members-in-steps.ts';
import type { JsonObject, JsonValue } from '../../json/value.ts';
import { runSteps } from '../../steps.ts';
import { type GlobList, globListSteps } from './glob-list.ts';

/** The names under which people's account data says who may invite them. The stable one first: it decides first. */
export const inviteConfigTypes = [
  'm.invite_permission_config',
  'org.matrix.msc4155.invite_permission_config',
  'org.matrix.msc4380.invite_permission_config',
] as const;
export type InviteConfigType = (typeof inviteConfigTypes)[number];

/** The lists of MSC4155, in the order in which they decide. */
export const inviteLists = [
  'allowed_users',
  'ignored_users',
  'blocked_users',
  'allowed_servers',
  'ignored_servers',
  'blocked_servers',
] as const;
export type InviteListName = (typeof inviteLists)[number];

/** Why the lists of an event count for nothing. */
export type InviteConfigFlaw =
  | { readonly kind: 'disabled' }
  | { readonly kind: 'malformed'; readonly list: InviteListName };

/** What one event of account data, or the server's policy, says. */
export type InviteConfig = {
  readonly lists: Readonly<Record<InviteListName, GlobList>>;
  readonly flaw: InviteConfigFlaw | undefined;
  readonly blocksByDefault: boolean;
};

const noEntries = runSteps(globListSteps([], { ignoreCase: false }));
const noLists = Object.freeze({
  allowed_users: noEntries,
  ignored_users: noEntries,
  blocked_users: noEntries,
  allowed_servers: noEntries,
  ignored_servers: noEntries,
  blocked_servers: noEntries,
});

/**
 * > A missing property MUST be treated like an empty array. Any value that is not an array of strings MUST lead to the entire
 * > event being considered invalid.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4155}
 *
 * > When set to `block`, that indicates that the user does not wish to receive *any* room invites […]. Any other value
 * > (including omission of the property) means that the user wants to receive invites as normal.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4380}
 *
 * The latter is a switch of its own: neither `enabled` nor a malformed list turns it off.
 *
 * Yields between steps: it may be as large as account data may be.
 */
export function* inviteConfigSteps(content: InviteContent): Generator<void, InviteConfig, void> {
  const blocksByDefault = own(content, 'default_action') === 'block';
  if (own(content, 'enabled') === false) return { lists: noLists, flaw: { kind: 'disabled' }, blocksByDefault };
  const lists: Record<InviteListName, GlobList> = { ...noLists };
  for (const list of inviteLists) {
    const entries = own(content, list);
    if (entries === undefined) continue;
    if (!isListOfStrings(entries)) return { lists: noLists, flaw: { kind: 'malformed', list }, blocksByDefault };
    lists[list] = yield* globListSteps(entries, { ignoreCase: list.endsWith('_servers') });
  }
  return { lists, flaw: undefined, blocksByDefault };
}

export function parseInviteConfig(content: JsonObject): InviteConfig {
  return runSteps(inviteConfigSteps(content));
}

/** Of what is said in an event, all that means anything; in a list, `null` stands for whatever is no text. */
type InviteContent = { readonly [name: string]: JsonValue | readonly (string | null)[] | undefined };
type Content = InviteContent[string];

/** The members of an event that mean anything. */
const members: readonly string[] = [...inviteLists, 'enabled', 'default_action'];

/** The same of the event's text, which is read in steps, too; `undefined` if it is no object. */
export function* inviteConfigTextSteps(text: string): Generator<void, InviteConfig | undefined, void> {
  const found = yield* memberSteps(text, members);
  if (found === undefined) return undefined;
  const values = Array.from(found, ([name, member]) => {
    if (member.kind === 'list') return [name, member.texts] as const;
    // Whatever is too long to be looked at is neither a list nor a switch.
    return [name, member.kind === 'object' ? {} : (member.value ?? null)] as const;
  });
  return yield* inviteConfigSteps(Object.fromEntries(values));
}

function own(content: InviteContent, name: string): Content {
  return Object.hasOwn(content, name) ? content[name] : undefined;
}

function isListOfStrings(value: Content): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
