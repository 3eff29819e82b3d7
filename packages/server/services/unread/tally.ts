import type { Outcome } from '@portico/protocol/push/outcome.ts';
import type { PushAction } from '@portico/protocol/push/rule.ts';
import { nothing, plain, type Weight } from './mode.ts';

/** What is kept of an event for people for whom it counts otherwise than the ordinals say. */
export type UnreadException = {
  /** `['']` for "everyone who has no row of their own". */
  readonly userIds: readonly string[];
  /** Whether only those of `userIds` count who are joined members of this server: not known in memory. */
  readonly onlyMembers: boolean;
  readonly notify: 0 | 1;
  readonly highlight: 0 | 1;
  /** What it is for everyone without a row of their own. */
  readonly baseNotify: 0 | 1;
  readonly baseHighlight: 0 | 1;
};

/** Who is to be told of an event on their devices, and how. */
export type EventPush = { readonly userIds: readonly string[]; readonly actions: readonly PushAction[] };

/** How an event is counted. */
export type Counting = {
  /** Whether the ordinal of its thread, or of the room outside threads, goes up by one. */
  readonly counts: boolean;
  readonly exceptions: readonly UnreadException[];
  readonly pushes: readonly EventPush[];
};

export const notCounted: Counting = Object.freeze({ counts: false, exceptions: [], pushes: [] });
export const counted: Counting = Object.freeze({ counts: true, exceptions: [], pushes: [] });

/** Gathers what differs from the default, while one person after the other is looked at. */
export interface Tally {
  /** They are told on their devices, if the rules say so. */
  push(userIds: readonly string[], outcome: Outcome | undefined): void;
  /** For them it weighs something else than is implied. */
  except(userIds: readonly string[], weight: Weight, implied: Weight, onlyMembers?: boolean): void;
  counting(): Counting;
}

/** `base` is what the event weighs by the default rules. */
export function createTally(base: Weight): Tally {
  const exceptions: UnreadException[] = [];
  const pushes: EventPush[] = [];
  const { notify: baseNotify, highlight: baseHighlight } = base;
  return {
    push(userIds, outcome) {
      if (userIds.length > 0 && outcome?.notify === true) pushes.push({ userIds, actions: outcome.actions });
    },
    except(userIds, weight, implied, onlyMembers = false) {
      if (userIds.length === 0 || weight === implied) return;
      exceptions.push({ userIds, onlyMembers, ...weight, baseNotify, baseHighlight });
    },
    counting() {
      if (base === nothing && exceptions.length === 0) return notCounted;
      // The ordinal goes up by one for all: where the default is anything else, a row for all says so.
      if (base !== plain) {
        exceptions.push({ userIds: [''], onlyMembers: false, ...base, baseNotify: 1, baseHighlight: 0 });
      }
      return { counts: true, exceptions, pushes };
    },
  };
}
