import { resolveConflicts } from '@portico/protocol';
import { bigFork, type BigForkOptions } from '@portico/testkit/big-fork.ts';
import type { Benchmark } from './bench.ts';

function benchmark(name: string, options: BigForkOptions): Benchmark {
  const { rules, input } = bigFork(options);
  return { name: `${name}, room version ${options.version}`, run: () => resolveConflicts(rules, input) };
}

const sizes: readonly Benchmark[] = ['1', '10', '12'].flatMap((version) =>
  [10, 1000, 50_000].flatMap((members) =>
    [1, 10].map((differing) =>
      benchmark(`resolve ${members} members of whom ${differing} differ`, { version, members, differing }),
    ),
  ),
);

export const bench: readonly Benchmark[] = [
  ...sizes,
  benchmark('resolve 1,000 differing members', { version: '12', members: 1000, differing: 1000 }),
  benchmark('resolve 10,000 changes since the fork', { version: '12', members: 10, differing: 10, changesEach: 1000 }),
];
