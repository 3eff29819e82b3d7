import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit/index.ts';
import { createShownMemory } from './shown-memory.ts';

const failing = { onFailure: (error: unknown) => assert.fail(String(error)) };

onBothEngines('what two processes show somebody is all remembered by the next one', async (db) => {
  const [one, two] = [createShownMemory({ db, ...failing }), createShownMemory({ db, ...failing })];
  assert.deepEqual([await one.take('@bob:a'), await two.take('@bob:a')], [[], []]);
  one.grew('@bob:a', '@alice:a');
  two.grew('@bob:a', '@carol:a');
  two.grew('@dave:a', '@alice:a');
  await Promise.all([one.stored('@bob:a'), two.stored('@bob:a')]);
  one.grew('@bob:a', '@erin:a');
  one.grew('@bob:a', '@carol:a');
  await Promise.all([one.close(), two.close()]);
  const next = createShownMemory({ db, ...failing });
  assert.deepEqual((await next.take('@bob:a')).toSorted(), ['@alice:a', '@carol:a', '@erin:a']);
  assert.deepEqual(await next.take('@dave:a'), ['@alice:a']);
  next.shrank('@bob:a', '@carol:a');
  assert.deepEqual(
    (await next.take('@bob:a')).toSorted(),
    ['@alice:a', '@erin:a'],
    'what is asked for is stored first',
  );
});

onBothEngines('nothing is stored of who is shown what they were shown before', async (db) => {
  const memory = createShownMemory({ db, ...failing });
  assert.equal(memory.stored('@bob:a'), undefined);
  memory.grew('@bob:a', '@alice:a');
  const storing = memory.stored('@bob:a');
  assert.ok(storing instanceof Promise);
  assert.equal(memory.stored('@bob:a'), storing, 'another device waits, too');
  await storing;
  assert.equal(memory.stored('@bob:a'), undefined);
});

onBothEngines('what could not be stored is tried again', async (db) => {
  const failures: unknown[] = [];
  let isFull = true;
  const full = Object.create(db, {
    commit: { value: (set: never) => (isFull ? Promise.reject(new Error('full')) : db.commit(set)) },
  }) as typeof db;
  const memory = createShownMemory({ db: full, onFailure: (error) => failures.push(error) });
  memory.grew('@bob:a', '@alice:a');
  await memory.stored('@bob:a');
  assert.equal(failures.length, 1);
  isFull = false;
  assert.deepEqual(await memory.take('@bob:a'), ['@alice:a']);
});
