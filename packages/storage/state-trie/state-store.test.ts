import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import * as fc from 'fast-check';
import type { Database } from '../database.ts';
import { sql } from '../sql.ts';
import { createWriteSet } from '../write-set.ts';
import { emptyState, type StateRoot } from './node.ts';
import { openStateStore, type StateChange, type StateStore } from './state-store.ts';
import { sweepRoom } from './sweep.ts';

const countPacks = sql<{ packs: number }, [roomNid: number]>(
  'test.count-packs',
  'select count(*) as packs from state_packs where room_nid = $1',
);

const member = (n: number, event: number): StateChange => ({ type: 'm.room.member', stateKey: `@u${n}:x`, event });
const members = (count: number): StateChange[] => Array.from({ length: count }, (_, n) => member(n, n + 1));

async function commitState(database: Database, store: StateStore, root: StateRoot, changes: readonly StateChange[]) {
  const edit = await store.set(root, changes).run();
  const set = createWriteSet();
  store.append(set, 1, edit);
  await database.commit(set);
  store.settle(edit, true);
  return edit.root;
}

async function eventsOf(store: StateStore, root: StateRoot): Promise<number[]> {
  const events: number[] = [];
  for await (const page of store.events(root)) events.push(...page);
  return events.sort((a, b) => a - b);
}

onBothEngines('states are read back by a process that has none of them in memory', async (database) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 2 ** 50 })), { maxLength: 20, size: 'max' }), {
        maxLength: 5,
      }),
      async (batches) => {
        const store = await openStateStore(database, { cacheBytes: 1_000_000 });
        const model = new Map<string, number>();
        const states: { root: StateRoot; entries: [string, number][] }[] = [];
        let root = emptyState;
        for (const batch of batches) {
          root = await commitState(
            database,
            store,
            root,
            batch.map(([n, event]) => member(n, event)),
          );
          for (const [n, event] of batch) model.set(`@u${n}:x`, event);
          states.push({ root, entries: [...model] });
        }
        const cold = await openStateStore(database, { cacheBytes: 1 });
        for (const { root, entries } of states) {
          assert.deepEqual(await cold.root(root.rootId).run(), root);
          const keys = entries.map(([stateKey]) => ['m.room.member', stateKey] as const);
          assert.deepEqual(
            await cold.getMany(root, keys).run(),
            entries.map(([, event]) => event),
          );
          assert.deepEqual(
            await eventsOf(cold, root),
            entries.map(([, event]) => event).sort((a, b) => a - b),
          );
        }
      },
    ),
    { numRuns: 15 },
  );
});

onBothEngines(
  'a state that waits for its commit is readable at once, and gone if the commit fails',
  async (database) => {
    const store = await openStateStore(database, { cacheBytes: 1_000_000 });
    const root = await commitState(database, store, emptyState, members(100));
    const edit = store.set(root, [member(3, 777)]).now()?.value;
    assert.ok(edit, 'an edit of a state in memory does not wait');
    assert.deepEqual(store.get(edit.root, 'm.room.member', '@u3:x').now(), { value: 777 });
    assert.equal(store.stats.pendingPacks, 1);
    store.settle(edit, false);
    assert.equal(store.stats.pendingPacks, 0);
    assert.equal(store.get(edit.root, 'm.room.member', '@u3:x').now(), undefined);
    await assert.rejects(store.get(edit.root, 'm.room.member', '@u3:x').run(), /does not exist/);
  },
);

onBothEngines('many lookups in a cold trie take one query a level', async (database) => {
  const warm = await openStateStore(database, { cacheBytes: 1 });
  const edit = await warm.set(emptyState, members(3000)).run();
  await warm.commitAhead(1, edit);
  let queries = 0;
  const counting: Database = {
    ...database,
    all: (statement, params) => {
      queries++;
      return database.all(statement, params);
    },
  };
  const cold = await openStateStore(counting, { cacheBytes: 10_000_000 });
  queries = 0;
  const keys = members(300).map(({ type, stateKey }) => [type, stateKey] as const);
  assert.deepEqual(
    await cold.getMany(edit.root, keys).run(),
    members(300).map(({ event }) => event),
  );
  assert.ok(queries <= 6, `${queries} queries`);
});

onBothEngines('the cache stays within its bytes', async (database) => {
  const store = await openStateStore(database, { cacheBytes: 50_000 });
  let root = emptyState;
  for (let n = 0; n < 50; n++) root = await commitState(database, store, root, [member(n, n + 1)]);
  const edit = await store.set(root, members(2000)).run();
  await store.commitAhead(1, edit);
  assert.deepEqual(
    await eventsOf(store, edit.root),
    members(2000).map(({ event }) => event),
  );
  assert.ok(store.stats.bytes <= 50_000, `${store.stats.bytes} bytes`);
  assert.ok(store.stats.evictions > 0 && store.stats.misses > 0);
});

onBothEngines('a sweep deletes what no living state uses, and nothing else', async (database) => {
  const store = await openStateStore(database, { cacheBytes: 1_000_000 });
  const roots = [emptyState];
  for (let n = 0; n < 120; n++) {
    roots.push(await commitState(database, store, roots.at(-1) ?? emptyState, [member(n % 60, n + 1)]));
  }
  const live = [roots[50] ?? emptyState, roots[119] ?? emptyState];
  const before = await Promise.all(live.map((root) => eventsOf(store, root)));
  const sweep = () =>
    sweepRoom(database, store.source, 1, async function* () {
      yield live.map((root) => root.rootId);
    });
  const swept = await sweep();
  const cold = await openStateStore(database, { cacheBytes: 1_000_000 });
  assert.deepEqual(await Promise.all(live.map((root) => eventsOf(cold, root))), before);
  assert.ok(swept.deletedPacks > 0 && swept.rewrittenPacks > 0);
  assert.equal((await database.get(countPacks, [1]))?.packs, 120 - swept.deletedPacks);
  await assert.rejects(eventsOf(cold, roots[100] ?? emptyState), /does not exist/);
  assert.deepEqual(await sweep(), { deletedPacks: 0, rewrittenPacks: 0 });
});
