import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import * as fc from 'fast-check';
import type { Database } from '../database.ts';
import { sql } from '../sql.ts';
import { createWriteSet } from '../write-set.ts';
import { place, type NewStateEvent, type Placed } from './assign.ts';
import type { CommonState } from './common-search.ts';
import { createChainStore, type ChainStore } from './chain-store.ts';

const insertEvent = sql<void, [eventNid: number, roomNid: number, chain: number, seq: number]>(
  'test.chain-event',
  `insert into events (event_nid, event_id, room_nid, status, type, sender, origin_server_ts, depth, before_content,
     content, after_content, chain_id, chain_seq)
   values ($1, '$' || cast(cast($1 as bigint) as text), $2, 0, 'x', '@x:x', 0, 0, '', '', '', $3, $4)`,
);

/** Auth events as distances back from the event. Short ones make long chains, others many links. */
const dag = fc.array(
  fc.array(fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 50 })), { minLength: 1, maxLength: 4 }),
  // Without a size, arrays stay near ten long whatever their maximum is.
  { minLength: 1, maxLength: 70, size: 'max' },
);
/** A part of the whole, evenly spread: `fc.double` nearly always gives numbers next to zero. */
const share = fc.integer({ min: 0, max: 999 }).map((n) => n / 1000);
const scenario = fc.record({
  dag,
  batch: fc.integer({ min: 1, max: 30 }),
  /** From which event on nothing is committed, and at which one the process starts anew. */
  pendingFrom: share,
  restartAt: share,
  commonPicks: fc.array(share, { maxLength: 6, size: 'max' }),
  maxSearchQueries: fc.constantFrom(0, 3, 1000),
  picks: fc.array(fc.array(share, { maxLength: 4, size: 'max' }), {
    minLength: 2,
    maxLength: 3,
  }),
});

function eventsOf(base: number, dag: readonly (readonly number[])[]): NewStateEvent[] {
  return dag.map((backs, index) => ({
    eventNid: base + index,
    authEventNids: [...new Set(backs.filter((back) => back <= index).map((back) => base + index - back))],
  }));
}

async function commitEvents(
  database: Database,
  store: ChainStore,
  roomNid: number,
  events: readonly NewStateEvent[],
): Promise<void> {
  const assignment = await store.assign(roomNid, events);
  const set = createWriteSet();
  for (const { eventNid, position } of assignment.events) {
    set.add(insertEvent, [eventNid, roomNid, position.chain, position.seq]);
  }
  store.append(set, assignment);
  await database.commit(set);
  store.settle(assignment, true);
}

/** Each event's auth chain, by walking. */
function naiveChains(events: readonly NewStateEvent[]): Map<number, Set<number>> {
  const chains = new Map<number, Set<number>>();
  for (const { eventNid, authEventNids } of events) {
    const chain = new Set(authEventNids);
    for (const auth of authEventNids) for (const reached of chains.get(auth) ?? []) chain.add(reached);
    chains.set(eventNid, chain);
  }
  return chains;
}

const inOrder = (nids: Iterable<number>): number[] => [...nids].sort((a, b) => a - b);

onBothEngines('the cover answers as a walk over the auth events does', async (database) => {
  let base = 1;
  await fc.assert(
    fc.asyncProperty(scenario, async ({ dag, batch, pendingFrom, restartAt, picks, commonPicks, maxSearchQueries }) => {
      const roomNid = base;
      const events = eventsOf(base, dag);
      base += 1000;
      const restart = Math.floor(restartAt * events.length);
      const pending = Math.max(restart, Math.floor(pendingFrom * events.length));
      let store = createChainStore(database, { maxEvents: 1000, maxSearchQueries });
      for (let start = 0; start < restart; start += batch) {
        await commitEvents(database, store, roomNid, events.slice(start, Math.min(start + batch, restart)));
      }
      store = createChainStore(database, { maxEvents: 1000, maxSearchQueries });
      for (let start = restart; start < pending; start += batch) {
        await commitEvents(database, store, roomNid, events.slice(start, Math.min(start + batch, pending)));
      }
      if (pending < events.length) await store.assign(roomNid, events.slice(pending));

      const chains = naiveChains(events);
      const sets = picks.map((set) => set.map((share) => roomNid + Math.floor(share * events.length)));
      const full = sets.map((set) => new Set(set.flatMap((nid) => [nid, ...(chains.get(nid) ?? [])])));
      const union = new Set(full.flatMap((set) => [...set]));
      assert.deepEqual(
        inOrder(await store.authDifference(roomNid, sets)),
        inOrder([...union].filter((nid) => !full.every((set) => set.has(nid)))),
      );

      const commonNids = new Set(commonPicks.map((share) => roomNid + Math.floor(share * events.length)));
      const withCommon = full.map(
        (set) => new Set([...set, ...[...commonNids].flatMap((nid) => [nid, ...(chains.get(nid) ?? [])])]),
      );
      const common: CommonState = {
        among: (nids) => Promise.resolve(commonNids.intersection(new Set(nids))),
        async *all() {
          yield [...commonNids];
        },
      };
      assert.deepEqual(
        inOrder(await store.authDifference(roomNid, sets, common)),
        inOrder([...union].filter((nid) => !withCommon.every((set) => set.has(nid)))),
      );

      const conflicted = [...new Set(sets.flat())];
      const subgraph = events
        .map((event) => event.eventNid)
        .filter(
          (nid) =>
            conflicted.some((from) => from === nid || chains.get(from)?.has(nid)) &&
            conflicted.some((to) => to === nid || chains.get(nid)?.has(to)),
        );
      assert.deepEqual(inOrder(await store.conflictedSubgraph(roomNid, conflicted)), inOrder(subgraph));

      for (const [a = roomNid, b = roomNid] of sets) {
        assert.equal(await store.authChainContains(roomNid, a, b), chains.get(a)?.has(b) ?? false);
      }
    }),
    { numRuns: database.kind === 'sqlite' ? 150 : 40 },
  );
});

onBothEngines('a room in which every step leads to one more chain is answered from few queries', async (database) => {
  // Two events cite each one, and the first of them takes its chain: the second, which the next pair cites, starts another.
  const events: NewStateEvent[] = [{ eventNid: 1, authEventNids: [] }];
  for (let nid = 2; nid < 4000; nid += 2) {
    events.push({ eventNid: nid, authEventNids: [nid - 1] }, { eventNid: nid + 1, authEventNids: [nid - 1] });
  }
  await commitEvents(database, createChainStore(database, { maxEvents: 10 }), 1, events);
  let queries = 0;
  const counting: Pick<Database, 'all' | 'get'> = {
    all: (statement, params) => {
      queries++;
      return database.all(statement, params);
    },
    get: (statement, params) => database.get(statement, params),
  };
  const store = createChainStore(counting, { maxEvents: 10 });
  assert.equal(await store.authChainContains(1, 3999, 1), true);
  assert.equal(await store.authChainContains(1, 3999, 2), false);
  assert.ok(queries < 50, `${queries} queries`);
});

onBothEngines('what many branches of a large room differ in is answered from few of its rows', async (database) => {
  const settled: NewStateEvent[] = [
    { eventNid: 1, authEventNids: [] },
    { eventNid: 2, authEventNids: [1] },
    { eventNid: 3, authEventNids: [1, 2] },
    ...Array.from({ length: 3000 }, (_, n) => ({ eventNid: 4 + n, authEventNids: [1, 3] })),
  ];
  const branches = Array.from({ length: 100 }, (_, n) => ({ eventNid: 10_000 + n, authEventNids: [1, 2, 3] }));
  await commitEvents(database, createChainStore(database, { maxEvents: 10 }), 1, [...settled, ...branches]);
  let rows = 0;
  const counting: Pick<Database, 'all' | 'get'> = {
    async all(statement, params) {
      const found = await database.all(statement, params);
      rows += found.length;
      return found;
    },
    get: (statement, params) => database.get(statement, params),
  };
  const store = createChainStore(counting, { maxEvents: 10 });
  const everything = settled.map(({ eventNid }) => eventNid);
  const common = {
    among: async (nids: readonly number[]) => new Set(nids.filter((nid) => nid < 10_000)),
    async *all() {
      yield everything;
    },
  };
  const nids = branches.map(({ eventNid }) => eventNid);
  const difference = await store.authDifference(1, [[], ...nids.map((nid) => [nid])], common);
  assert.deepEqual(inOrder(difference), nids);
  assert.ok(rows < 1500, `${rows} rows`);
});

onBothEngines('a chain whose last event failed to be committed is not continued', async (database) => {
  const store = createChainStore(database, { maxEvents: 100 });
  await commitEvents(database, store, 1, [{ eventNid: 1, authEventNids: [] }]);
  const failed = store.assignNow(1, [{ eventNid: 2, authEventNids: [1] }]);
  assert.ok(failed);
  store.settle(failed, false);
  assert.equal(store.assignNow(1, [{ eventNid: 5, authEventNids: [2] }]), undefined);
  await assert.rejects(store.assign(1, [{ eventNid: 5, authEventNids: [2] }]), /no place/);
  await commitEvents(database, store, 1, [{ eventNid: 3, authEventNids: [1] }]);
  await commitEvents(database, store, 1, [{ eventNid: 4, authEventNids: [3] }]);
  assert.deepEqual(inOrder(await store.authDifference(1, [[4], [1]])), [3, 4]);
});

test('a join of a settled room needs one link at most', () => {
  const placed = new Map<number, Placed>();
  const open = new Set<number>();
  const add = (eventNid: number, authEventNids: number[]): number => {
    const made = place({ eventNid, authEventNids }, { get: (nid) => placed.get(nid), isOpen: (nid) => open.has(nid) });
    assert.ok(made);
    placed.set(eventNid, made);
    if (made.continues !== undefined) open.delete(made.continues);
    open.add(eventNid);
    return made.links.length;
  };
  add(1, []); // create
  add(2, [1]); // its creator's join
  add(3, [1, 2]); // power levels
  add(4, [1, 2, 3]); // join rules
  add(5, [1, 3, 4]); // the first join, which takes the chain of the join rules
  const links = Array.from({ length: 20 }, (_, n) => add(6 + n, [1, 3, 4]));
  assert.deepEqual([...new Set(links)], [1]);
});
