import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
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
