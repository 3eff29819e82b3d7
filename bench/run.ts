import { glob } from 'node:fs/promises';
import { measure, type Benchmark, type Measurement } from './bench.ts';

/**
 * `npm run bench`, or `npm run bench -- protocol` for the files whose name has that word. Every `*.bench.ts` here exports
 * a list of benchmarks as `bench`, or a function `measured` that measures by itself.
 */
type BenchmarkFile = {
  readonly bench?: readonly Benchmark[];
  readonly measured?: () => Promise<readonly Measurement[]>;
};

const wanted = process.argv[2] ?? '';
const files = (await Array.fromAsync(glob('*.bench.ts', { cwd: import.meta.dirname }))).sort();
for (const file of files.filter((name) => name.includes(wanted))) {
  console.log(file.replace('.bench.ts', ''));
  const { bench = [], measured } = (await import(`./${file}`)) as BenchmarkFile;
  for (const benchmark of bench) print(measure(benchmark));
  for (const measurement of (await measured?.()) ?? []) print(measurement);
}

function print({ name, microseconds }: Measurement): void {
  console.log(`  ${microseconds.toFixed(2).padStart(10)} µs  ${name}`);
}
