/*
 * What the events of one server may cost in one room. Whoever changes a room from many places in its past makes each event cost as much as
 * thousands of others: that goes on, but no faster than others can bear. Nothing is refused.
 */

/** What somebody's events have cost, in milliseconds of computing: less as time goes by. */
export type Budget = {
  readonly debt: number;
  /** When it was so much. Milliseconds. */
  readonly at: number;
  /** What each of the last events has cost. */
  readonly each: number;
};

/** What may be computed for one in each second, in the long run; 1 is a whole processor. */
const share = 0.25;
/**
 * What may be computed beforehand: others come back after a day, and have forked since. A thousand changes on either side of a large room
 * cost that much.
 */
const credit = 15_000;
/** Whoever owes more than this has turns of their own, so that others need not wait for all of theirs. */
const light = 100;
/** What one turn is to cost. */
const turn = 100;

export const newBudget: Budget = { debt: 0, at: 0, each: 0 };

export function debtAt({ debt, at }: Budget, now: number): number {
  return Math.max(0, debt - (now - at) * share);
}

export function charge(budget: Budget, cost: number, events: number, now: number): Budget {
  return { debt: debtAt(budget, now) + cost, at: now, each: cost / Math.max(events, 1) };
}

/** Milliseconds until there may be more. */
export function waitAt(budget: Budget, now: number): number {
  return Math.ceil(Math.max(0, debtAt(budget, now) - credit) / share);
}

export function isLightAt(budget: Budget, now: number): boolean {
  return debtAt(budget, now) <= light;
}

/** Whether a turn has cost no more than it should. */
export const isCheap = (cost: number): boolean => cost <= turn;

/** How many events are received in one turn. */
export function eventsInTurn({ each }: Budget, most: number): number {
  return Math.max(1, Math.min(most, Math.floor(turn / Math.max(each, 1))));
}
