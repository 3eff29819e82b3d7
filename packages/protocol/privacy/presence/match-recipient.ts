import { spellingsOf, spellingsOnAnyPort } from '../../ids/server-spellings.ts';
import { runSteps } from '../../steps.ts';
import type { PresencePolicy } from './policy.ts';
import type { SharingList } from './sharing-list.ts';

/** The entries that name a person, by list; `undefined` where none does. */
export type RecipientMatch = {
  readonly exempt: string | undefined;
  readonly barred: string | undefined;
  readonly allowed: string | undefined;
  readonly denied: string | undefined;
};

/** Finds which entries match somebody. Yields between steps: there may be a hundred thousand globs that could. */
export function* matchSteps(policy: PresencePolicy, userId: string): Generator<void, RecipientMatch, void> {
  const { own, overrides } = policy;
  const exempt = yield* findEntry(overrides.allowed, [userId]);
  const barred = yield* findEntry(overrides.denied, spellingsOnAnyPort(userId));
  if (own.kind === 'malformed') return { exempt, barred, allowed: undefined, denied: undefined };
  const allowed = yield* findEntry(own.allowed, [userId]);
  const denied = yield* findEntry(own.denied, spellingsOf(userId));
  return { exempt, barred, allowed, denied };
}

export function matchRecipient(policy: PresencePolicy, userId: string): RecipientMatch {
  return runSteps(matchSteps(policy, userId));
}

function* findEntry(
  { users, globs }: SharingList,
  spellings: readonly string[],
): Generator<void, string | undefined, void> {
  for (const spelling of spellings) {
    if (users.has(spelling)) return spelling;
    const place = yield* globs.findSteps(spelling);
    if (place !== undefined) return globs.all[place];
  }
  return undefined;
}
