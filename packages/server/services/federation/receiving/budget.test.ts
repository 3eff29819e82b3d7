import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Budget, charge, debtAt, eventsInTurn, isLightAt, newBudget, waitAt } from './budget.ts';

const cases: readonly {
  readonly what: string;
  /** When how many events have cost how much. */
  readonly costs: readonly (readonly [at: number, cost: number, events: number])[];
  readonly now: number;
  readonly debt: number;
  readonly wait: number;
  readonly isLight: boolean;
  readonly inTurn: number;
}[] = [
  { what: 'nothing', costs: [], now: 1000, debt: 0, wait: 0, isLight: true, inTurn: 64 },
  { what: 'a little', costs: [[0, 100, 64]], now: 0, debt: 100, wait: 0, isLight: true, inTurn: 64 },
  { what: 'more than a little', costs: [[0, 104, 4]], now: 0, debt: 104, wait: 0, isLight: false, inTurn: 3 },
  { what: 'that, some time ago', costs: [[0, 104, 4]], now: 16, debt: 100, wait: 0, isLight: true, inTurn: 3 },
  { what: 'that, long ago', costs: [[0, 104, 4]], now: 60_000, debt: 0, wait: 0, isLight: true, inTurn: 3 },
  { what: 'all that is allowed', costs: [[0, 15_000, 300]], now: 0, debt: 15_000, wait: 0, isLight: false, inTurn: 2 },
  { what: 'too much', costs: [[0, 15_100, 150]], now: 0, debt: 15_100, wait: 400, isLight: false, inTurn: 1 },
  {
    what: 'too much, a moment ago',
    costs: [[0, 15_100, 150]],
    now: 300,
    debt: 15_025,
    wait: 100,
    isLight: false,
    inTurn: 1,
  },
  {
    what: 'again and again',
    costs: [
      [0, 7000, 1],
      [4000, 7000, 1],
      [8000, 7000, 1],
    ],
    now: 8000,
    debt: 19_000,
    wait: 16_000,
    isLight: false,
    inTurn: 1,
  },
];

for (const { what, costs, now, debt, wait, isLight, inTurn } of cases) {
  test(`whose events have cost ${what} has a share of what is computed`, () => {
    const budget = costs.reduce<Budget>((before, [at, cost, events]) => charge(before, cost, events, at), newBudget);
    assert.deepEqual(
      {
        debt: debtAt(budget, now),
        wait: waitAt(budget, now),
        isLight: isLightAt(budget, now),
        inTurn: eventsInTurn(budget, 64),
      },
      { debt, wait, isLight, inTurn },
    );
  });
}
