import type { EffectiveRule } from './effective-rules.ts';
import { defaultEffectiveRules } from './compile-rules.ts';
import { outcomeOf } from './outcome.ts';

/** A name for what rules do to unread counts: rules of the same name count every event alike. */
export function countingKey(rules: readonly EffectiveRule[]): string {
  return JSON.stringify(
    rules.map(({ conditions, actions }) => {
      const { notify, highlight } = outcomeOf('', actions);
      return [conditions, notify, highlight];
    }),
  );
}

/** The same for all that rules say: what they do to counts, and how events are announced. */
export function outcomeKey(rules: readonly EffectiveRule[]): string {
  return JSON.stringify(rules.map(({ conditions, actions }) => [conditions, outcomeOf('', actions).actions]));
}

export const defaultOutcomeKey = outcomeKey(defaultEffectiveRules);
export const defaultCountingKey = countingKey(defaultEffectiveRules);
