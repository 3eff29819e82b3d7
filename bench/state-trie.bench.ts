import { diff } from '@portico/storage/state-trie/diff.ts';
import { getMany } from '@portico/storage/state-trie/lookup.ts';
import { emptyState, type StateRoot } from '@portico/storage/state-trie/node.ts';
import { createTestTrie, type TestTrie } from '@portico/storage/state-trie/test-trie.ts';
import type { StateChange } from '@portico/storage/state-trie/state-store.ts';
import type { Benchmark } from './bench.ts';

/**
 * What a row of `state_packs` and its entry in the index by room take beyond the nodes: measured over the 100,000 rows of such
 * a room in a fresh database, as size of table and index less the nodes.
 */
const rowOverhead = { sqlite: 39, postgres: 113 };

const settings = ['create', 'power_levels', 'join_rules', 'history_visibility', 'guest_access', 'name', 'topic'];
const room: StateChange[] = settings.map((name, n) => ({ type: `m.room.${name}`, stateKey: '', event: 1_000_000 + n }));

function join(n: number, event: number): StateChange {
  return { type: 'm.room.member', stateKey: `@user${n}:example.org`, event };
}

type Built = { readonly trie: TestTrie; readonly root: StateRoot; readonly other: StateRoot };

/** A room of so many members, and the same with ten of them changed. */
function build(members: number): Built {
  const trie = createTestTrie();
  const all = Array.from({ length: members }, (_, n) => join(n, 2_000_000 + n));
  const { root } = trie.set(emptyState, [...room, ...all]);
  const changed = Array.from({ length: 10 }, (_, n) => join(n * Math.floor(members / 10), 5_000_000 + n));
  return { trie, root, other: trie.set(root, changed).root };
}

/**
 * Bytes of nodes, rows included, of each of the last joins of a room that so many have joined one after the other, while as
 * much went on in nine other rooms.
 */
function bytesPerJoin(members: number): string {
  const trie = createTestTrie({ packStep: 9 });
  let { root } = trie.set(emptyState, room);
  let bytes = 0;
  const counted = members * 0.1;
  for (let n = 0; n < members; n++) {
    const made = trie.set(root, [join(n, 2_000_000 + n * 10)]);
    root = made.root;
    if (n >= members - counted) bytes += made.packs.reduce((sum, pack) => sum + pack.bytes.length, 0);
  }
  const perJoin = Math.round(bytes / counted);
  return `${perJoin} bytes, ${perJoin + rowOverhead.sqlite} with its row on SQLite, ${perJoin + rowOverhead.postgres} on PostgreSQL`;
}

const small = build(1000);
const large = build(50_000);

function differ({ trie, root, other }: Built): () => unknown {
  return () => trie.ask(diff(root.rootId, other.rootId));
}

function look({ trie, root }: Built): () => unknown {
  return () => {
    const wanted = [
      ['m.room.create', ''],
      ['m.room.power_levels', ''],
      ['m.room.join_rules', ''],
      ['m.room.member', '@user7:example.org'],
    ] as const;
    return trie.ask(
      getMany(
        root.rootId,
        wanted.map(([type, stateKey]) => trie.hasher.path(type, stateKey)),
      ),
    );
  };
}

function joinOne({ trie, root }: Built): () => unknown {
  let event = 9_000_000;
  return () => {
    return trie.set(root, [join(17, event++)]);
  };
}

export const bench: readonly Benchmark[] = [
  { name: 'difference of two states, k = 10 of 1,000 members', run: differ(small) },
  { name: 'difference of two states, k = 10 of 50,000 members', run: differ(large) },
  { name: 'look up four entries in a state of 1,000 members', run: look(small) },
  { name: 'look up four entries in a state of 50,000 members', run: look(large) },
  { name: 'state after a join, 1,000 members', run: joinOne(small) },
  { name: 'state after a join, 50,000 members', run: joinOne(large) },
  {
    get name() {
      return `make a state of 1,000 members at once (a join of 100,000: ${bytesPerJoin(100_000)})`;
    },
    run: () => build(1000),
  },
];
