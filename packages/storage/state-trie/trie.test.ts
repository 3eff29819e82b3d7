import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { diff } from './diff.ts';
import { edit } from './edit.ts';
import type { StatePath } from './key-hash.ts';
import { getMany, getRoots } from './lookup.ts';
import { emptyState, sameState, type StateRoot } from './node.ts';
import { draftsOf, seal } from './seal.ts';
import type { StateChange } from './state-store.ts';
import { createTestTrie, type TestTrie } from './test-trie.ts';
import { entriesPage, type Entry, type Part } from './walk.ts';

type Model = ReadonlyMap<string, StateChange & { readonly event: number }>;

const types = ['m.room.create', 'm.room.member', 'm.room.name', 'org.example.widget'];
const change: fc.Arbitrary<StateChange> = fc.record({
  type: fc.constantFrom(...types),
  stateKey: fc.oneof(
    fc.constant(''),
    fc.integer({ min: 0, max: 60 }).map((n) => `@user${n}:example.org`),
  ),
  event: fc.option(fc.integer({ min: 1, max: 2 ** 40 }), { nil: undefined, freq: 4 }),
});
/** Without a size, arrays stay near ten long whatever their maximum is. */
const batches = fc.array(fc.array(change, { maxLength: 80, size: 'max' }), { maxLength: 6 });

function applyToModel(model: Model, changes: readonly StateChange[]): Model {
  const after = new Map(model);
  for (const { type, stateKey, event } of changes) {
    if (event === undefined) after.delete(`${type}|${stateKey}`);
    else after.set(`${type}|${stateKey}`, { type, stateKey, event });
  }
  return after;
}

function build(trie: TestTrie, made: readonly (readonly StateChange[])[]): { root: StateRoot; model: Model } {
  let root = emptyState;
  let model: Model = new Map();
  for (const changes of made) {
    ({ root } = trie.set(root, changes));
    model = applyToModel(model, changes);
  }
  return { root, model };
}

function allEntries(trie: TestTrie, root: StateRoot, part: Part = {}, limit = 7): Entry[] {
  const entries: Entry[] = [];
  let after: StatePath | undefined;
  do {
    const page = trie.ask(entriesPage(root.rootId, part, limit, after));
    entries.push(...page.entries);
    after = page.next;
  } while (after !== undefined);
  return entries;
}

const eventsOf = (entries: readonly { readonly event: number }[]): number[] =>
  entries.map((entry) => entry.event).sort((a, b) => a - b);

/** The shape of a trie without the numbers of its nodes. */
function shapeOf(trie: TestTrie, id: number): unknown {
  if (id === 0) return 'empty';
  return trie.source.find(id)?.slots.map((slot) => {
    if (slot === undefined) return 0;
    if (slot.kind === 'branch') return shapeOf(trie, slot.child);
    return slot.kind === 'keys' ? [slot.hash, shapeOf(trie, slot.child)] : slot;
  });
}

test('a trie answers like a map after any edits', () => {
  fc.assert(
    fc.property(batches, (made) => {
      const trie = createTestTrie();
      const { root, model } = build(trie, made);
      assert.equal(root.count, model.size);
      const keys = types.flatMap((type) =>
        ['', ...Array.from({ length: 61 }, (_, n) => `@user${n}:example.org`)].map((stateKey) => ({ type, stateKey })),
      );
      const found = trie.ask(
        getMany(
          root.rootId,
          keys.map(({ type, stateKey }) => trie.hasher.path(type, stateKey)),
        ),
      );
      assert.deepEqual(
        found,
        keys.map(({ type, stateKey }) => model.get(`${type}|${stateKey}`)?.event),
      );
      assert.deepEqual(trie.ask(getRoots([root.rootId])), [root]);
    }),
  );
});

test('a walk gives every entry once, in pages of any size, whole or in part', () => {
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 100 }), (made, limit) => {
      const trie = createTestTrie();
      const { root, model } = build(trie, made);
      const type = 'm.room.member';
      const hash = trie.hasher.type(type);
      const expected = [...model.values()];
      assert.deepEqual(eventsOf(allEntries(trie, root, {}, limit)), eventsOf(expected));
      assert.deepEqual(
        eventsOf(allEntries(trie, root, { only: hash }, limit)),
        eventsOf(expected.filter((entry) => entry.type === type)),
      );
      assert.deepEqual(
        eventsOf(allEntries(trie, root, { except: hash }, limit)),
        eventsOf(expected.filter((entry) => entry.type !== type)),
      );
    }),
  );
});

test('the shape and the hash of a state do not depend on how it came about', () => {
  fc.assert(
    fc.property(batches, (made) => {
      const trie = createTestTrie();
      const { root, model } = build(trie, made);
      const direct = trie.set(emptyState, [...model.values()].reverse()).root;
      assert.deepEqual(shapeOf(trie, direct.rootId), shapeOf(trie, root.rootId));
      assert.ok(sameState(direct, root));
    }),
  );
});

test('states with different entries have different hashes', () => {
  fc.assert(
    fc.property(batches, batches, (left, right) => {
      const trie = createTestTrie();
      const a = build(trie, left);
      const b = build(trie, right);
      assert.equal(sameState(a.root, b.root), trie.ask(diff(a.root.rootId, b.root.rootId)).length === 0);
    }),
  );
});

test('a difference names exactly the paths at which two states differ', () => {
  fc.assert(
    fc.property(batches, batches, batches, (shared, left, right) => {
      const trie = createTestTrie();
      const a = build(trie, [...shared, ...left]);
      const b = build(trie, [...shared, ...right]);
      const text = ({ type, key }: StatePath) => [type.hi, type.lo, key.hi, key.lo].join();
      for (const only of [undefined, 'm.room.member']) {
        const part = only === undefined ? {} : { only: trie.hasher.type(only) };
        const expected = [...new Set([...a.model.keys(), ...b.model.keys()])].flatMap((name) => {
          const entry = a.model.get(name) ?? b.model.get(name);
          const [before, after] = [a.model.get(name)?.event, b.model.get(name)?.event];
          if (entry === undefined || before === after || (only !== undefined && entry.type !== only)) return [];
          return [{ path: trie.hasher.path(entry.type, entry.stateKey), before, after }];
        });
        const found = trie.ask(diff(a.root.rootId, b.root.rootId, part));
        const sort = (list: typeof found) => list.sort((x, y) => (text(x.path) < text(y.path) ? -1 : 1));
        assert.deepEqual(sort(found), sort(expected));
      }
    }),
  );
});

test('an edit that changes nothing makes no nodes and keeps the root', () => {
  const trie = createTestTrie();
  const { root, model } = build(trie, [
    Array.from({ length: 200 }, (_, n) => ({ type: 'm.room.member', stateKey: `@u${n}:x`, event: n + 1 })),
  ]);
  const again = trie.set(root, [...model.values(), { type: 'm.room.name', stateKey: '', event: undefined }]);
  assert.deepEqual(again, { root, packs: [] });
});

test('a root that needs numbers from a lower block than its children still reads', () => {
  const high = createTestTrie({ firstPack: 1_000_000_000 });
  const members = Array.from({ length: 50 }, (_, n) => ({ type: 'm.room.member', stateKey: `@u${n}:x`, event: n + 1 }));
  const { root, packs } = high.set(emptyState, members);
  const low = createTestTrie({ firstPack: 5 });
  low.add(packs);
  const edited = low.set(root, [{ type: 'm.room.member', stateKey: '@u7:x', event: 99 }]).root;
  assert.deepEqual(low.ask(diff(root.rootId, edited.rootId)), [
    { path: low.hasher.path('m.room.member', '@u7:x'), before: 8, after: 99 },
  ]);
});

test('many lookups read each level of the trie once', () => {
  const trie = createTestTrie();
  const members = Array.from({ length: 5000 }, (_, n) => ({
    type: 'm.room.member',
    stateKey: `@u${n}:x`,
    event: n + 1,
  }));
  const { root } = trie.set(emptyState, members);
  trie.reads.levels = 0;
  trie.ask(
    getMany(
      root.rootId,
      members.map(({ type, stateKey }) => trie.hasher.path(type, stateKey)),
    ),
  );
  assert.ok(trie.reads.levels <= 8, `${trie.reads.levels} levels`);
});

test('a difference of ten entries reads a small part of two large states', () => {
  const trie = createTestTrie();
  const member = (n: number, event: number) => ({ type: 'm.room.member', stateKey: `@u${n}:x`, event });
  const { root } = trie.set(
    emptyState,
    Array.from({ length: 5000 }, (_, n) => member(n, n + 1)),
  );
  const other = trie.set(
    root,
    Array.from({ length: 10 }, (_, n) => member(n * 499, 9000 + n)),
  ).root;
  trie.reads.nodes = 0;
  assert.equal(trie.ask(diff(root.rootId, other.rootId)).length, 10);
  assert.ok(trie.reads.nodes <= 2 * 10 * 7, `${trie.reads.nodes} nodes`);
});

test('hashes that agree in their first half are told apart by the second', () => {
  const { hasher, source, add, ask } = createTestTrie();
  const type = hasher.type('m.room.member');
  const changes = [1, 2, 0x7000_0000, -1].map((lo, n) => ({ path: { type, key: { hi: 5, lo } }, event: n + 1 }));
  const edited = ask(edit(emptyState, changes, hasher));
  const { root, packs } = seal(edited, draftsOf(edited), 1);
  add(packs);
  assert.equal(source.find(root.rootId)?.summary?.count, 4);
  const paths = changes.map(({ path }) => path);
  assert.deepEqual(ask(getMany(root.rootId, paths)), [1, 2, 3, 4]);
  assert.deepEqual(
    ask(entriesPage(root.rootId, {}, 10, undefined)).entries.map(({ event }) => event),
    [1, 2, 3, 4],
  );
});
