/*
 * What the events of one server may cost in one room. Whoever changes a room from many places in its past makes each event cost as much as
 * thousands of others: that goes on, but no faster than others can bear. Nothing is refused.
 */

/** What somebody's events have cost, in milliseconds of computing: less as time goes by. */
export type Account = {
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

export const newAccount: Account = { debt: 0, at: 0, each: 0 };

export function debtAt({ debt, at }: Account, now: number): number {
  return Math.max(0, debt - (now - at) * share);
}

export function charge(account: Account, cost: number, events: number, now: number): Account {
  return { debt: debtAt(account, now) + cost, at: now, each: cost / Math.max(events, 1) };
}

/** Milliseconds until there may be more. */
export function waitAt(account: Account, now: number): number {
  return Math.ceil(Math.max(0, debtAt(account, now) - credit) / share);
}

export function isLightAt(account: Account, now: number): boolean {
  return debtAt(account, now) <= light;
}

/** Whether a turn has cost no more than it should. */
export const isCheap = (cost: number): boolean => cost <= turn;

/** How many events are received in one turn. */
export function eventsInTurn({ each }: Account, most: number): number {
  return Math.max(1, Math.min(most, Math.floor(turn / Math.max(each, 1))));
}
