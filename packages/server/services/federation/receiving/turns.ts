import type { Budgets } from './budgets.ts';
import { eventsInTurn, isCheap, isLightAt, waitAt } from './budget.ts';

/** Which of a room's waiting events are received next. */
export interface Turns<Item> {
  add(item: Item): void;
  readonly size: number;
  /** Some that are received together; or, where none may be, for how many milliseconds. */
  next(): { readonly items: readonly [Item, ...Item[]] } | { readonly wait: number } | undefined;
  /** What receiving some has cost. */
  charge(items: readonly Item[], cost: number): void;
}

type Options<Item> = {
  readonly roomNid: number;
  readonly budgets: Budgets;
  readonly atOnce: number;
  /** Told of an event that has to wait for what those before it have cost; each time that it is passed over. Whose it is may change by that. */
  readonly onHeld: (item: Item) => void;
};

/** How many events are received together at first: what they cost is known only then. */
const firstAtOnce = 8;

/** No server is called that. */
const everybody = '';

/**
 * Events are received in the order in which they came, but for those of servers whose events have cost much: these take turns with
 * everybody else, a few events of one of them each time, and have none for a while where it was too much.
 */
export function createTurns<Item extends { readonly from: string }>(options: Options<Item>): Turns<Item> {
  const { roomNid, budgets, atOnce, onHeld } = options;
  let waiting: Item[] = [];
  /** When each has had a turn, in turns. */
  const turns = new Map<string, number>();
  let turn = 0;
  let most = Math.min(firstAtOnce, atOnce);

  function lineOf({ from }: Item, now: number): { readonly name: string; readonly wait: number } {
    const budget = budgets.find(roomNid, from);
    if (budget === undefined || isLightAt(budget, now)) return { name: everybody, wait: 0 };
    return { name: from, wait: waitAt(budget, now) };
  }

  return {
    add: (item) => void waiting.push(item),
    get size() {
      return waiting.length;
    },
    next() {
      const now = budgets.now();
      const lines = new Map<string, Item[]>();
      let shortest = Infinity;
      for (const item of waiting) {
        if (lineOf(item, now).wait > 0) onHeld(item);
        const { name, wait } = lineOf(item, now);
        if (wait > 0) {
          shortest = Math.min(shortest, wait);
          continue;
        }
        const line = lines.get(name);
        if (line === undefined) lines.set(name, [item]);
        else line.push(item);
      }
      const [longest] = [...lines.keys()].toSorted((a, b) => (turns.get(a) ?? 0) - (turns.get(b) ?? 0));
      const isTheirs = lines.has(everybody) && turns.get(everybody) !== turn;
      const name = isTheirs ? everybody : longest;
      if (name === undefined) return waiting.length === 0 ? undefined : { wait: shortest };
      const budget = name === everybody ? undefined : budgets.find(roomNid, name);
      const count = budget === undefined ? most : eventsInTurn(budget, most);
      const [first, ...others] = (lines.get(name) ?? []).slice(0, count);
      if (first === undefined) throw new Error('a line of events is empty');
      turns.set(name, ++turn);
      const chosen = new Set([first, ...others]);
      waiting = waiting.filter((item) => !chosen.has(item));
      return { items: [first, ...others] };
    },
    charge(items, cost) {
      most = isCheap(cost) ? Math.min(2 * most, atOnce) : Math.min(firstAtOnce, atOnce);
      for (const [from, own] of Map.groupBy(items, (item) => item.from)) {
        budgets.charge(roomNid, from, (cost * own.length) / items.length, own.length);
      }
    },
  };
}
