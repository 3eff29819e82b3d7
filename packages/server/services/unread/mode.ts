import type { Outcome } from '@portico/protocol/push/outcome.ts';

/**
 * How most events of a room are for a person, so that only others need a row: `all` as the ordinals count them, `mentions`
 * only what is a highlight for everyone, `muted` nothing.
 */
export type UnreadMode = 'all' | 'mentions' | 'muted';

export function isUnreadMode(value: string): value is UnreadMode {
  return value === 'all' || value === 'mentions' || value === 'muted';
}

/** What an event adds to the counts. */
export type Weight = { readonly notify: 0 | 1; readonly highlight: 0 | 1 };

export const nothing: Weight = Object.freeze({ notify: 0, highlight: 0 });
export const plain: Weight = Object.freeze({ notify: 1, highlight: 0 });
export const loud: Weight = Object.freeze({ notify: 1, highlight: 1 });

export function weightOf(outcome: Outcome | undefined): Weight {
  if (outcome?.notify !== true) return nothing;
  return outcome.highlight ? loud : plain;
}

/** What an event counts for somebody without a row, given what it is under the default rules. */
export function impliedWeight(mode: UnreadMode, base: Weight): Weight {
  switch (mode) {
    case 'all':
      return base;
    case 'mentions':
      return base.highlight === 1 ? loud : nothing;
    case 'muted':
      return nothing;
    default: {
      const unknown: never = mode;
      return unknown;
    }
  }
}
