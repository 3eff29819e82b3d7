import { randomBytes } from 'node:crypto';
import type { Database, Reader, WriteSet } from '../database.ts';
import { createWriteSet } from '../write-set.ts';
import { diff, type Difference } from './diff.ts';
import { edit, type Draft, type Edited } from './edit.ts';
import { createKeyHasher, type KeyHasher } from './key-hash.ts';
import { getMany, getRoots } from './lookup.ts';
import { createKnownRoots } from './known-roots.ts';
import { createNodeCache, type NodeCache, type NodeCacheStats } from './node-cache.ts';
import { packOf, type Pack } from './pack.ts';
import type { StateRoot, StoredNode } from './node.ts';
import { createPackNumbers } from './pack-numbers.ts';
import { draftsOf, packsNeeded, seal } from './seal.ts';
import { insertPack, insertSecret, selectPacks, selectSecret } from './statements.ts';
import { answer, answerNow, findIn, type FindNode, type NodeSource, type Steps } from './steps.ts';
import { entriesPage, type EntriesPage } from './walk.ts';
import type { StatePath } from './key-hash.ts';

export type StateKey = readonly [type: string, stateKey: string];

/** `event` becomes the state at (type, stateKey); `undefined` takes away what is there. */
export type StateChange = { readonly type: string; readonly stateKey: string; readonly event: number | undefined };

/** Which part of a state: all of it, one event type, or everything but one type. */
export type StatePart = { readonly only: string } | { readonly except: string } | undefined;

/** A state that is readable at once, and the rows that must be committed for it to last. */
export type StateEdit = { readonly root: StateRoot; readonly packs: readonly Pack[] };

/**
 * Something asked about states, or done to them. `now` answers from memory alone or not at all; `run` reads what is missing,
 * with one query a level of the trie:
 *
 *     const question = states.getMany(root, keys);
 *     const { value } = question.now() ?? { value: await question.run() };
 */
export type Question<T> = {
  now(): { readonly value: T } | undefined;
  run(): Promise<T>;
};

export interface StateStore {
  /** A root of which only the number was kept. */
  root(rootId: number): Question<StateRoot>;
  roots(rootIds: readonly number[]): Question<readonly StateRoot[]>;
  get(root: StateRoot, type: string, stateKey: string): Question<number | undefined>;
  getMany(root: StateRoot, keys: readonly StateKey[]): Question<(number | undefined)[]>;
  /** Where two states differ, at the cost of the difference. */
  diff(before: StateRoot, after: StateRoot, part?: StatePart): Question<readonly Difference[]>;
  /** Up to `limit` entries after the place where the page before ended. */
  page(root: StateRoot, part: StatePart, limit: number, after?: StatePath): Question<EntriesPage>;
  /** All entries' events, page by page. */
  events(root: StateRoot, part?: StatePart): AsyncGenerator<readonly number[]>;

  /**
   * A state with the changes made; the one that is stored already, where that is known to hold the same. Its nodes can be read at once; after `append` has put its rows into a write set and that was
   * committed, or failed, `settle` must say so.
   */
  set(root: StateRoot, changes: readonly StateChange[]): Question<StateEdit>;
  append(set: WriteSet, roomNid: number, edit: StateEdit): void;
  settle(edit: StateEdit, committed: boolean): void;
  /** Commits the rows of a large state beforehand, in batches of their own. */
  commitAhead(roomNid: number, edit: StateEdit): Promise<void>;

  readonly stats: Readonly<NodeCacheStats>;
  readonly hasher: KeyHasher;
  readonly source: NodeSource;
}

/** Packs read by one query, and committed by one write set. */
const packsPerQuery = 512;
const packsPerCommit = 1024;
const pageSize = 1000;

export async function openStateStore(database: Database, options: { cacheBytes: number }): Promise<StateStore> {
  const hasher = createKeyHasher(await getSecret(database));
  const cache = createNodeCache(options.cacheBytes);
  const roots = createKnownRoots();
  const numbers = createPackNumbers((count) => database.reserveIds('state_pack', count));
  await numbers.take(1);
  const source: NodeSource = {
    find: (id) => cache.find(id),
    load: async (ids) => loadNodes(database, cache, ids),
  };
  const part = (wanted: StatePart) =>
    wanted === undefined
      ? {}
      : 'only' in wanted
        ? { only: hasher.type(wanted.only) }
        : { except: hasher.type(wanted.except) };

  function ask<T>(steps: () => Steps<T>): Question<T> {
    return { now: () => answerNow(source, steps()), run: () => answer(source, steps()) };
  }

  /** An edit that leads to a state which is stored already; states of different rooms share no entry. */
  function known({ root, contentHash, count }: Edited): StateEdit | undefined {
    if (typeof root === 'number') return undefined;
    const same = roots.find(contentHash);
    return same?.count === count ? { root: same, packs: [] } : undefined;
  }

  function finish(edited: Edited, firstPack: number, drafts: readonly Draft[]): StateEdit {
    const sealed = seal(edited, drafts, firstPack);
    cache.addPending(sealed.packs);
    return sealed;
  }

  const store: StateStore = {
    stats: cache.stats,
    hasher,
    source,
    root: (rootId) =>
      ask(function* () {
        return (yield* getRoots([rootId]))[0] as StateRoot;
      }),
    roots: (rootIds) => ask(() => getRoots(rootIds)),
    get: (root, type, stateKey) =>
      ask(function* () {
        return (yield* getMany(root.rootId, [hasher.path(type, stateKey)]))[0];
      }),
    getMany: (root, keys) =>
      ask(() =>
        getMany(
          root.rootId,
          keys.map(([type, stateKey]) => hasher.path(type, stateKey)),
        ),
      ),
    diff: (before, after, wanted) => ask(() => diff(before.rootId, after.rootId, part(wanted))),
    page: (root, wanted, limit, after) => ask(() => entriesPage(root.rootId, part(wanted), limit, after)),
    async *events(root, wanted) {
      let after: StatePath | undefined;
      do {
        const page = await store.page(root, wanted, pageSize, after).run();
        yield page.entries.map((entry) => entry.event);
        after = page.next;
      } while (after !== undefined);
    },
    set(root, changes) {
      const paths = changes.map(({ type, stateKey, event }) => ({ path: hasher.path(type, stateKey), event }));
      const question = ask(() => edit(root, paths, hasher));
      return {
        now() {
          const edited = question.now()?.value;
          if (edited === undefined) return undefined;
          const same = known(edited);
          if (same !== undefined) return { value: same };
          const drafts = draftsOf(edited);
          const firstPack = drafts.length === 0 ? 0 : numbers.takeNow(packsNeeded(drafts));
          return firstPack === undefined ? undefined : { value: finish(edited, firstPack, drafts) };
        },
        async run() {
          const edited = await question.run();
          const same = known(edited);
          if (same !== undefined) return same;
          const drafts = draftsOf(edited);
          return finish(edited, drafts.length === 0 ? 0 : await numbers.take(packsNeeded(drafts)), drafts);
        },
      };
    },
    append(set, roomNid, { packs }) {
      for (const { packId, bytes } of packs) set.add(insertPack, [packId, roomNid, bytes]);
    },
    settle({ root, packs }, committed) {
      cache.settle(packs, committed);
      if (committed) roots.add(root);
    },
    async commitAhead(roomNid, { root, packs }) {
      for (let start = 0; start < packs.length; start += packsPerCommit) {
        const set = createWriteSet();
        const batch = packs.slice(start, start + packsPerCommit);
        store.append(set, roomNid, { root, packs: batch });
        await database.commit(set);
        cache.settle(batch, true);
      }
    },
  };
  return store;
}

async function loadNodes(reader: Reader, cache: NodeCache, ids: readonly number[]): Promise<FindNode> {
  const nodes = new Map<number, StoredNode>();
  const missing = new Map<number, number[]>();
  for (const id of ids) {
    const node = cache.find(id);
    if (node !== undefined) nodes.set(id, node);
    else missing.set(packOf(id), [...(missing.get(packOf(id)) ?? []), id]);
  }
  const packIds = [...missing.keys()];
  for (let start = 0; start < packIds.length; start += packsPerQuery) {
    const rows = await reader.all(selectPacks, [JSON.stringify(packIds.slice(start, start + packsPerQuery))]);
    for (const row of rows) {
      const pack = cache.add({ packId: row.pack_id, bytes: row.nodes });
      for (const id of missing.get(row.pack_id) ?? []) {
        const node = pack.find(id);
        if (node !== undefined) nodes.set(id, node);
      }
    }
  }
  return findIn(nodes);
}

/** Made once for a database. It never changes: every node depends on it. */
async function getSecret(database: Database): Promise<Uint8Array> {
  const stored = await database.get(selectSecret, []);
  if (stored !== undefined) return Buffer.from(stored.value, 'hex');
  const set = createWriteSet();
  set.add(insertSecret, [randomBytes(16).toString('hex')]);
  await database.commit(set);
  return getSecret(database);
}
