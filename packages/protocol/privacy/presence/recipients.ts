import { matchesGlob } from '../../glob.ts';
import { spellingsOnAnyPort } from '../../ids/server-spellings.ts';
import type { PresencePolicy } from './policy.ts';
import type { SharingList } from './sharing-list.ts';

/**
 * Who on one other server gets a person's presence. `everyone` is all who share a room with them; to say so, the field
 * `allowed_recipients` is left out.
 */
export type Recipients =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'everyone' }
  | { readonly kind: 'listed'; readonly recipients: readonly string[] };

/**
 * "We recommend to chunk the presence EDUs to chunks of 256 MXIDs per presence EDU." More globs than that for one server
 * are resolved to the people who share a room, like rooms.
 */
export const recipientsPerEntry = 256;

/** Globs for a server and everybody there who is allowed by name, whether they share a room or not. */
export type NamedRecipients = { readonly globs: readonly string[]; readonly users: readonly string[] };

const nobodyNamed: NamedRecipients = { globs: [], users: [] };

/**
 * What of `allowed_users` can be sent to a server as it is: people by name, and globs if nobody whom they match is
 * barred by the server's overrides. Yields between steps.
 */
export function* namedRecipientSteps(policy: PresencePolicy, server: string): Generator<void, NamedRecipients, void> {
  const { own, overrides } = policy;
  if (own.kind === 'malformed') return nobodyNamed;
  const users = own.allowed.usersByServer.get(server) ?? [];
  const globs = yield* own.allowed.globsByServer.ofSteps(server, recipientsPerEntry + 1);
  const isSent = globs.length <= recipientsPerEntry && !(yield* mayBar(overrides.denied, server));
  return { globs: isSent ? globs : [], users };
}

function* mayBar({ usersByServer, globsByServer }: SharingList, server: string): Generator<void, boolean, void> {
  for (const somebody of spellingsOnAnyPort(`@:${server}`)) {
    const spelling = somebody.slice(2);
    if (usersByServer.has(spelling) || (yield* globsByServer.ofSteps(spelling, 1)).length > 0) return true;
  }
  return false;
}

/** The servers that the policy names, some perhaps twice: of people, and of globs that match people of one server only. */
export function* namedServers({ own }: PresencePolicy): Generator<string, void, void> {
  if (own.kind === 'malformed') return;
  yield* own.allowed.usersByServer.keys();
  yield* own.allowed.globsByServer.named;
}

/** As many names take about as long as a step should. */
const namesPerStep = 500;

/**
 * The `allowed_recipients` for a server: the `globs` and the names that {@link namedRecipientSteps} gave, as far as these may
 * get the presence, and the `members` who share a room and may. Who is in a room and matched by a glob that is sent need not
 * be named beside it. Who is allowed by name must be: for who shares no room, globs count for nothing. Yields between steps.
 */
export function* recipientSteps(
  { globs, users }: NamedRecipients,
  members: Iterable<string>,
): Generator<void, Recipients, void> {
  const recipients = yield* setSteps([...globs, ...users]);
  let done = 0;
  for (const user of members) {
    if (!globs.some((glob) => matchesGlob(glob, user))) recipients.add(user);
    done += 1 + globs.length;
    if (done < namesPerStep) continue;
    done = 0;
    yield;
  }
  return recipients.size === 0 ? { kind: 'nobody' } : { kind: 'listed', recipients: [...recipients] };
}

function* setSteps(names: readonly string[]): Generator<void, Set<string>, void> {
  const set = new Set<string>();
  for (const name of names) {
    set.add(name);
    if (set.size % namesPerStep === 0) yield;
  }
  return set;
}

/**
 * Those who were told something and may be told nothing more. What was for everyone is taken back from everyone, and those
 * who may still see are told anew: else whoever comes into a room later would be shown it. The other way round, those who were
 * named and share no room are not meant by everyone. Yields between steps.
 */
export function* lostSteps(before: Recipients, now: Recipients): Generator<void, Recipients, void> {
  if (before === now) return { kind: 'nobody' };
  if (before.kind !== now.kind) return before;
  if (before.kind !== 'listed' || now.kind !== 'listed') return { kind: 'nobody' };
  const still = yield* setSteps(now.recipients);
  const lost: string[] = [];
  let done = 0;
  for (const each of before.recipients) {
    if (!still.has(each)) lost.push(each);
    if (++done % namesPerStep === 0) yield;
  }
  return lost.length === 0 ? { kind: 'nobody' } : { kind: 'listed', recipients: lost };
}
