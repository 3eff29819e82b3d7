import { type Budget, charge, debtAt, newBudget, waitAt } from './budget.ts';

/** What the events of servers have cost in rooms. Of those that have cost next to nothing, which are nearly all, nothing is kept. */
export interface Budgets {
  find(roomNid: number, server: string): Budget | undefined;
  charge(roomNid: number, server: string, cost: number, events: number): void;
  /** How many have to wait, once for each room. */
  overdrawn(): number;
  readonly now: () => number;
}

const mostBudgets = 1000;
/** Milliseconds. */
const nothing = 1;

/** `own`: the name of this server, whose people wait for nobody's forks. */
export function createBudgets(own: string, now: () => number = () => performance.now()): Budgets {
  const budgets = new Map<string, Budget>();
  const keyOf = (roomNid: number, server: string) => `${roomNid} ${server}`;

  function forgetSome(): void {
    for (const [key, budget] of budgets) if (debtAt(budget, now()) === 0) budgets.delete(key);
    while (budgets.size > mostBudgets) budgets.delete(budgets.keys().next().value ?? '');
  }

  return {
    now,
    find: (roomNid, server) => budgets.get(keyOf(roomNid, server)),
    charge(roomNid, server, cost, events) {
      const key = keyOf(roomNid, server);
      const budget = budgets.get(key);
      if (server === own || (budget === undefined && cost < nothing)) return;
      budgets.delete(key);
      budgets.set(key, charge(budget ?? newBudget, cost, events, now()));
      if (budgets.size > mostBudgets) forgetSome();
    },
    overdrawn: () => [...budgets.values()].filter((budget) => waitAt(budget, now()) > 0).length,
  };
}
