import assert from 'node:assert/strict';
import type { Recipients } from '@portico/protocol/privacy/presence/recipients.ts';
import { runSteps } from '@portico/protocol/steps.ts';
import type { Database } from '@portico/storage';
import { onBothEngines } from '@portico/testkit/index.ts';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';
import { createToldRecords, type ToldRecords } from './told-records.ts';

const everyone: Recipients = { kind: 'everyone' };
const listed = (...recipients: string[]): Recipients => ({ kind: 'listed', recipients });
const clock = createVirtualClock();
const over = (told: ToldRecords, ...args: Parameters<ToldRecords['over']>) => runSteps(told.over(...args));
const open = (db: Database, onLost: (userId: string) => void = () => undefined) =>
  createToldRecords({ db, after: clock.after, onLost, onFailure: (error) => assert.fail(String(error)) });

const peopleIn = async (db: Database) => (await Array.fromAsync(open(db).people())).flat();

/** As the next process finds it. */
async function stored(db: Database, userId: string): Promise<Record<string, readonly Recipients[]>> {
  const next = open(db);
  const hosts = await next.load(userId);
  return Object.fromEntries([...hosts].map((host) => [host, next.known(userId, host)]));
}

onBothEngines('what two processes tell other servers is all known to the next one', async (db) => {
  const [one, two] = [open(db), open(db)];
  await Promise.all([
    one.add('@alice:a', [
      ['b', everyone],
      ['c', listed('@x:c', '@*:c')],
    ]),
    two.add('@alice:a', [
      ['c', listed('@y:c')],
      ['d', { kind: 'nobody' }],
    ]),
    two.add('@bob:a', [['b', everyone]]),
  ]);
  assert.deepEqual(await stored(db, '@alice:a'), { b: [everyone], c: [listed('@*:c', '@x:c', '@y:c')] });
  assert.deepEqual(await peopleIn(db), ['@alice:a', '@bob:a']);
});

onBothEngines('everybody is found, however many they are', async (db) => {
  const told = open(db);
  const all = Array.from({ length: 1001 }, (_, index) => `@p${String(index).padStart(4, '0')}:a`);
  for (const person of all) {
    await told.add(person, [
      ['b', everyone],
      ['c', everyone],
    ]);
  }
  assert.deepEqual(await peopleIn(db), all);
});

onBothEngines('only what is new is stored', async (db) => {
  const told = open(db);
  const [first, more] = [listed('@x:b'), listed('@x:b', '@y:b')];
  await told.add('@alice:a', [['b', first]]);
  assert.equal(told.add('@alice:a', [['b', first]]), undefined);
  assert.equal(told.add('@alice:a', [['b', listed('@x:b')]]), undefined);
  await told.add('@alice:a', [['b', more]]);
  await told.add('@alice:a', [['b', everyone]]);
  assert.deepEqual(await stored(db, '@alice:a'), { b: [everyone, more] }, 'until it is taken back');
});

onBothEngines('it goes once the server has taken that it is over, and a while has passed', async (db) => {
  const told = open(db);
  await told.add('@alice:a', [['b', listed('@x:b', '@y:b', '@z:b')]]);
  const xIsOver = over(told, '@alice:a', 'b', listed('@x:b'));
  assert.deepEqual(told.known('@alice:a', 'b'), [listed('@y:b', '@z:b', '@x:b')], 'it may not have arrived');
  const yIsOver = over(told, '@alice:a', 'b', listed('@y:b'));
  xIsOver(true);
  assert.deepEqual(told.known('@alice:a', 'b'), [listed('@z:b', '@y:b')], 'the other one is under way');
  yIsOver(true);
  assert.deepEqual(told.known('@alice:a', 'b'), [listed('@z:b')]);
  const isOver = over(told, '@alice:a', 'b', 'all');
  // They are back before the server has taken it, and it does not matter any more.
  assert.ok(told.add('@alice:a', [['b', listed('@z:b')]]) instanceof Promise);
  isOver(true);
  clock.pass(60_000);
  await told.close();
  assert.deepEqual(await stored(db, '@alice:a'), { b: [listed('@z:b')] });
});

onBothEngines('who is back within a minute costs nothing', async (db) => {
  const told = open(db);
  await told.add('@alice:a', [['b', everyone]]);
  over(told, '@alice:a', 'b', 'all')(true);
  assert.deepEqual(told.known('@alice:a', 'b'), []);
  assert.equal(told.add('@alice:a', [['b', everyone]]), undefined);
  clock.pass(60_000);
  await told.close();
  assert.deepEqual(await stored(db, '@alice:a'), { b: [everyone] });
});

onBothEngines('what was dropped on its way is found again, by this process and by the next one', async (db) => {
  const lost: string[] = [];
  const told = open(db, (userId) => lost.push(userId));
  await told.add('@alice:a', [['b', everyone]]);
  over(told, '@alice:a', 'b', 'all')(false);
  assert.deepEqual(lost, ['@alice:a']);
  clock.pass(60_000);
  assert.deepEqual(await stored(db, '@alice:a'), { b: [everyone] });
  assert.deepEqual(await told.load('@alice:a'), new Set(['b']));
  assert.deepEqual(told.known('@alice:a', 'b'), [everyone]);
  over(told, '@alice:a', 'b', 'all')(true);
  assert.deepEqual(await told.load('@alice:a'), new Set(), 'it is only kept a while longer');
  clock.pass(60_000);
  await told.close();
  assert.deepEqual(await stored(db, '@alice:a'), {});
});

onBothEngines('a word that was lost is not made up for by another one that arrives', async (db) => {
  const told = open(db);
  await told.add('@alice:a', [['b', listed('@x:b', '@y:b')]]);
  const xIsOver = over(told, '@alice:a', 'b', listed('@x:b'));
  const allIsOver = over(told, '@alice:a', 'b', 'all');
  xIsOver(false);
  allIsOver(true);
  await told.add('@alice:a', [['b', listed('@z:b')]]);
  assert.deepEqual(told.forgotten('@alice:a', 'b'), []);
  assert.deepEqual(await told.load('@alice:a'), new Set(['b']));
  assert.deepEqual(
    told.forgotten('@alice:a', 'b'),
    [listed('@x:b')],
    'neither who is told of it, nor what has arrived',
  );
  // The second takes the place of the first, of which nothing more is heard.
  const [, second] = [over(told, '@alice:a', 'b', 'all'), over(told, '@alice:a', 'b', 'all')];
  second(true);
  clock.pass(60_000);
  await told.close();
  assert.deepEqual(await stored(db, '@alice:a'), {});
});

onBothEngines('what another process has told is taken for forgotten until this one tells it too', async (db) => {
  const [one, two] = [open(db), open(db)];
  await one.add('@alice:a', [['b', listed('@x:b', '@y:b')]]);
  assert.deepEqual(await two.load('@alice:a'), new Set(['b']));
  await two.add('@alice:a', [['b', listed('@y:b')]]);
  assert.deepEqual(two.forgotten('@alice:a', 'b'), [listed('@x:b')]);
});
