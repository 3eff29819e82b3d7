import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { createFairTurns } from './fair-turns.ts';

type Limits = Partial<Parameters<typeof createFairTurns>[0]>;

/** Turns that are taken in the name of somebody: who has one, in their order; and how it is ended. */
function open(context: TestContext, limits: Limits = {}) {
  const turns = createFairTurns({
    atOnce: 4,
    ofServer: 2,
    waiting: { ofOwner: 10, all: 20 },
    isDoubtful: () => false,
    ...limits,
  });
  const taken: string[] = [];
  const ends = new Map<string, () => void>();
  const refused: string[] = [];
  let count = 0;
  let isOver = false;
  // Nobody waits until their time is up: the process would wait as well.
  context.after(() => {
    isOver = true;
    for (const end of ends.values()) end();
  });
  async function take(owner: string, server = `hs${count++}`, isWanted = () => true, timeout = 60_000): Promise<void> {
    const name = `${owner} ${server}`;
    const end = await turns.take({ owner, server, isWanted }, timeout);
    if (end === undefined) refused.push(name);
    else if (isOver) end();
    else {
      taken.push(name);
      ends.set(name, end);
    }
  }
  async function end(name: string): Promise<void> {
    ends.get(name)?.();
    ends.delete(name);
    await new Promise(setImmediate);
  }
  return { take, end, taken, refused };
}

const settle = () => new Promise(setImmediate);

test('nobody has more than half of the turns, and all who wait have them one after the other', async (context) => {
  const { take, end, taken } = open(context);
  for (const server of ['a1', 'a2', 'a3', 'a4']) void take('alice', server);
  for (const server of ['b1', 'b2', 'b3']) void take('bob', server);
  void take('carol', 'c1');
  await settle();
  assert.deepEqual(taken, ['alice a1', 'alice a2', 'bob b1', 'bob b2']);
  await end('alice a1');
  await end('bob b1');
  await end('alice a2');
  assert.deepEqual(taken.slice(4), ['alice a3', 'bob b3', 'carol c1']);
});

test('one server has a few of them', async (context) => {
  const { take, end, taken } = open(context);
  for (const owner of ['alice', 'bob', 'carol', 'dan']) void take(owner, 'hs1');
  await settle();
  assert.deepEqual(taken, ['alice hs1', 'bob hs1']);
  await end('alice hs1');
  assert.deepEqual(taken.slice(2), ['carol hs1']);
});

test('of those who want the same server again and again nobody has two turns before others have one', async (context) => {
  const { take, end, taken } = open(context, { atOnce: 2, ofServer: 1 });
  for (let round = 0; round < 5; round++) {
    for (const owner of ['alice', 'bob', 'carol']) void take(owner, 'hs', () => true);
  }
  await settle();
  for (let ended = 0; ended < 15; ended++) await end(taken[ended] ?? '');
  const owners = taken.map((name) => name.split(' ')[0]);
  assert.deepEqual(owners, Array.from({ length: 5 }, () => ['alice', 'bob', 'carol']).flat());
});

test('servers that failed have half of them', async (context) => {
  const { take, taken } = open(context, { isDoubtful: (server) => server.startsWith('away') });
  for (const [index, owner] of ['alice', 'bob', 'carol'].entries()) void take(owner, `away${index}`);
  for (const owner of ['alice', 'bob']) void take(owner, `here${owner}`);
  await settle();
  assert.deepEqual(taken, ['alice away0', 'bob away1', 'alice herealice', 'bob herebob']);
});

test('who waits too much is refused, and what nobody wants makes place', async (context) => {
  let isWanted = true;
  const { take, end, taken, refused } = open(context, { atOnce: 1, waiting: { ofOwner: 2, all: 3 } });
  for (const server of ['a1', 'a2', 'a3', 'a4']) void take('alice', server, () => isWanted);
  for (const server of ['b1', 'b2']) void take('bob', server);
  await settle();
  assert.deepEqual([taken, refused], [['alice a1'], ['alice a4', 'bob b2']]);
  isWanted = false;
  void take('bob', 'b3');
  await settle();
  assert.deepEqual(refused.slice(2), ['alice a2', 'alice a3']);
  await end('alice a1');
  assert.deepEqual(taken.slice(1), ['bob b1']);
});

test('nobody waits for longer than they said', async (context) => {
  const { take, end, taken, refused } = open(context, { atOnce: 1 });
  void take('alice', 'a1');
  await take('bob', 'b1', () => true, 10);
  assert.deepEqual(refused, ['bob b1']);
  await end('alice a1');
  assert.deepEqual(taken, ['alice a1']);
});

/** Who waits, as a list that is looked through for each turn. */
function createModel(atOnce: number, ofServer: number) {
  type Turn = { readonly id: number; readonly owner: string; readonly server: string; readonly wasDoubtful: boolean };
  const half = Math.ceil(atOnce / 2);
  const away = new Set<string>();
  const running = new Map<number, Turn>();
  const waiting = new Map<number, Turn>();
  const unwanted = new Set<number>();
  const count = (has: (turn: Turn) => boolean) => running.values().reduce((sum, turn) => sum + Number(has(turn)), 0);
  function mayStart({ owner, server }: Turn): boolean {
    const isBlocked = away.has(server) && count(({ wasDoubtful }) => wasDoubtful) >= half;
    const ofOwner = count((turn) => turn.owner === owner);
    return !isBlocked && ofOwner < half && count((turn) => turn.server === server) < ofServer;
  }
  const eligible = () => waiting.values().filter((turn) => !unwanted.has(turn.id) && mayStart(turn));
  return { atOnce, half, away, running, waiting, unwanted, count, mayStart, eligible };
}

type Step =
  | { readonly kind: 'take'; readonly owner: number; readonly server: number }
  | { readonly kind: 'end'; readonly which: number; readonly fails: boolean }
  | { readonly kind: 'give-up'; readonly which: number };

const mostOwners = 6;
const small = fc.nat({ max: mostOwners - 1 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('take'), owner: small, server: small }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('end'), which: fc.nat(), fails: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('give-up'), which: fc.nat() }) },
  ),
  { minLength: 20, maxLength: 120 },
);

test('no place is left free that somebody waits for, all limits are kept, and nobody is passed over again and again', async () => {
  const limits = fc.record({ atOnce: fc.integer({ min: 2, max: 7 }), ofServer: fc.integer({ min: 1, max: 3 }) });
  await fc.assert(
    fc.asyncProperty(limits, steps, async ({ atOnce, ofServer }, all) => {
      const model = createModel(atOnce, ofServer);
      const { away, running, waiting, unwanted, count } = model;
      const ends = new Map<number, () => void>();
      /** For how many turns of one owner another one, who could have had them, has waited for one. */
      const passed = new Map<string, Map<string, number>>();
      const wrong: string[] = [];
      const turns = createFairTurns({
        atOnce,
        ofServer,
        waiting: { ofOwner: 1000, all: 1000 },
        isDoubtful: (server) => away.has(server),
      });

      async function take(id: number, owner: string, server: string): Promise<void> {
        const turn = { id, owner, server, wasDoubtful: false };
        const hadToWait = running.size >= atOnce || !model.mayStart(turn);
        waiting.set(id, turn);
        const isWanted = (): boolean => !unwanted.has(id);
        const end = await turns.take({ owner, server, isWanted }, 60_000);
        if (end === undefined) {
          waiting.delete(id);
          if (!unwanted.has(id)) wrong.push(`${id} was dropped`);
          return;
        }
        const first = waiting.values().find((one) => one.owner === owner && one.server === server);
        if (first !== undefined && first.id < id && !unwanted.has(first.id))
          wrong.push(`${id} came before ${first.id}`);
        passed.delete(owner);
        if (hadToWait) for (const other of new Set(model.eligible().map((one) => one.owner))) passOver(other, owner);
        waiting.delete(id);
        running.set(id, { ...turn, wasDoubtful: away.has(server) });
        ends.set(id, end);
      }

      /** One of the other owners may have been the next one for the same place, in every round. */
      function passOver(waits: string, owner: string): void {
        if (waits === owner) return;
        const others = passed.get(waits) ?? new Map<string, number>();
        const count = (others.get(owner) ?? 0) + 1;
        passed.set(waits, others.set(owner, count));
        if (count > mostOwners) wrong.push(`${waits} waits while ${owner} has ${count} turns`);
      }

      async function settleAndCheck(): Promise<void> {
        await settle();
        assert.deepEqual(wrong, []);
        assert.ok(running.size <= atOnce && count(({ wasDoubtful }) => wasDoubtful) <= model.half);
        for (const one of running.values()) {
          assert.ok(count(({ owner }) => owner === one.owner) <= model.half);
          assert.ok(count(({ server }) => server === one.server) <= ofServer);
        }
        if (running.size < atOnce) assert.deepEqual([...model.eligible()], [], 'somebody is left waiting');
      }

      async function end(id: number, server: string, fails: boolean): Promise<void> {
        running.delete(id);
        if (fails) away.add(server);
        else away.delete(server);
        ends.get(id)?.();
        await settleAndCheck();
      }

      for (const [id, step] of all.entries()) {
        if (step.kind === 'take') void take(id, `owner${step.owner}`, `hs${step.server}`);
        else if (step.kind === 'give-up') {
          const one = [...waiting.keys()][step.which % Math.max(1, waiting.size)];
          if (one !== undefined) unwanted.add(one);
        } else {
          const one = [...running.values()][step.which % Math.max(1, running.size)];
          if (one !== undefined) await end(one.id, one.server, step.fails);
        }
        await settleAndCheck();
      }
      while (running.size > 0) for (const one of running.values()) await end(one.id, one.server, false);
      assert.deepEqual([waiting.size, turns.waiting], [0, 0], 'all have had a turn, or do not want one');
    }),
    { numRuns: 300 },
  );
});

test('where there are servers enough, owners have their turns exactly one after the other', async (context) => {
  const { take, end, taken } = open(context, { waiting: { ofOwner: 100, all: 100 } });
  // Whoever had a turn last is the last in it.
  const queue: { owner: string; names: string[] }[] = [];
  for (let count = 0; count < 40; count++) {
    const owner = `owner${(count * count) % 7}`;
    void take(owner, `hs${count}`);
    // These do not have to wait.
    if (count < 4) continue;
    const own = queue.find((one) => one.owner === owner);
    if (own === undefined) queue.push({ owner, names: [`${owner} hs${count}`] });
    else own.names.push(`${owner} hs${count}`);
  }
  await settle();
  assert.equal(taken.length, 4);
  const running = [...taken];
  const isBusy = (owner: string) => running.filter((name) => name.startsWith(`${owner} `)).length >= 2;
  while (running.length > 0) {
    await end(running.shift() ?? '');
    const next = queue.find(({ owner, names }) => names.length > 0 && !isBusy(owner));
    if (next === undefined) continue;
    const name = next.names.shift() ?? '';
    queue.push(...queue.splice(queue.indexOf(next), 1));
    running.push(name);
    assert.equal(taken.at(-1), name);
  }
  assert.equal(taken.length, 40);
});

for (const [what, serverOf] of [
  ['each for a server of its own', (index: number) => `hs${index}`],
  ['for servers that failed', (index: number) => `away${index}`],
  ['for one server', () => 'hs'],
] as const) {
  test(`a turn costs the same however many wait ${what}`, async (context) => {
    let asked = 0;
    const { take, end, taken } = open(context, {
      atOnce: 8,
      waiting: { ofOwner: 2000, all: 10_000 },
      isDoubtful: (server) => {
        asked++;
        return server.startsWith('away');
      },
    });
    const isWanted = (): boolean => {
      asked++;
      return true;
    };
    for (let index = 0; index < 10_000; index++) void take(`owner${index % 5}`, serverOf(index), isWanted);
    await settle();
    const count = 500;
    const before = taken.length;
    for (let ended = 0; ended < count; ended++) {
      // Those for whom there is no place are looked at once.
      if (ended === 1) asked = 0;
      await end(taken[ended] ?? '');
    }
    assert.equal(taken.length, before + count);
    assert.ok(asked < count * 10, `${asked / count} questions for each turn`);
    asked = 0;
    for (let index = 0; index < 100; index++) void take('owner0', serverOf(index), isWanted);
    assert.ok(asked < 100 * 60, `${asked / 100} questions for one who is refused`);
  });
}
