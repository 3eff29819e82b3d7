import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBudgets } from './budgets.ts';
import { createTurns } from './turns.ts';

/** Events of a room, as `server number`. */
function open() {
  let now = 0;
  const budgets = createBudgets('own', () => now);
  const held: string[] = [];
  type Item = { readonly from: string; readonly number: number };
  const nameOf = ({ from, number }: Item) => `${from}${number}`;
  const turns = createTurns<Item>({
    roomNid: 1,
    budgets,
    atOnce: 64,
    onHeld: (item) => void held.push(nameOf(item)),
  });
  return {
    budgets,
    held,
    pass: (milliseconds: number) => void (now += milliseconds),
    add(from: string, first: number, last: number) {
      for (let number = first; number <= last; number++) turns.add({ from, number });
    },
    /** Who has the next turn, at that cost for each event; or for how long nobody has. */
    take(cost: number): string[] | number | undefined {
      const next = turns.next();
      if (next === undefined || 'wait' in next) return next?.wait;
      turns.charge(next.items, cost * next.items.length);
      return next.items.map(nameOf);
    },
    size: () => turns.size,
  };
}

test('events are received together in the order in which they came, more of them while they cost little', () => {
  const { add, take, size } = open();
  assert.equal(take(0), undefined);
  for (let number = 1; number <= 100; number++) add(number % 2 === 0 ? 'a' : 'b', number, number);
  const groups = [take(1), take(1), take(1), take(10)] as string[][];
  assert.deepEqual(groups[0]?.slice(0, 3), ['b1', 'a2', 'b3']);
  assert.deepEqual(
    groups.map(({ length }) => length),
    [8, 16, 32, 44],
  );
  assert.equal(size(), 0);
  add('c', 1, 20);
  assert.equal((take(0) as string[]).length, 8, 'the last ones were not cheap');
});

test('who has cost much has a few events received, and then it is the turn of all others', () => {
  const { budgets, add, take } = open();
  budgets.charge(1, 'm', 1000, 20);
  budgets.charge(1, 'n', 1000, 4);
  add('m', 1, 5);
  add('n', 1, 2);
  add('h', 1, 1);
  assert.deepEqual(take(0), ['h1']);
  assert.deepEqual(take(50), ['m1', 'm2']);
  add('h', 2, 3);
  assert.deepEqual(take(0), ['h2', 'h3']);
  assert.deepEqual([take(250), take(50), take(250), take(50)], [['n1'], ['m3', 'm4'], ['n2'], ['m5']]);
  assert.equal(take(0), undefined);
});

test('who has cost too much has no turn for a while, and keeps nobody else from theirs', () => {
  const { budgets, held, add, pass, take } = open();
  budgets.charge(1, 'm', 15_100, 151);
  budgets.charge(1, 'n', 15_050, 150);
  assert.equal(budgets.overdrawn(), 2);
  add('m', 1, 1);
  add('n', 1, 1);
  add('h', 1, 1);
  assert.deepEqual(take(0), ['h1']);
  assert.deepEqual(held, ['m1', 'n1'], 'nobody need wait for them to answer');
  assert.equal(take(0), 200);
  pass(200);
  assert.deepEqual(take(0), ['n1']);
  assert.equal(take(0), 200);
  pass(200);
  assert.deepEqual(take(0), ['m1']);
  assert.equal(budgets.overdrawn(), 0);
});

test('what has cost next to nothing is not remembered, nor more than some of the rest', () => {
  const { budgets } = open();
  budgets.charge(1, 'h', 0.5, 1);
  budgets.charge(1, 'own', 5000, 1);
  for (const server of ['h', 'own']) assert.equal(budgets.find(1, server), undefined);
  for (let room = 0; room <= 1000; room++) budgets.charge(room, 'm', 10, 1);
  assert.deepEqual([budgets.find(0, 'm')?.debt, budgets.find(1, 'm')?.debt], [undefined, 10]);
});
