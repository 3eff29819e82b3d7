import { glob } from 'node:fs/promises';
import { measure, type Benchmark } from './bench.ts';

/**
 * `npm run bench`, or `npm run bench -- protocol` for the files whose name has that word. Every `*.bench.ts` here exports
 * a list of benchmarks as `bench`.
 */
const wanted = process.argv[2] ?? '';
const files = (await Array.fromAsync(glob('*.bench.ts', { cwd: import.meta.dirname }))).sort();
for (const file of files.filter((name) => name.includes(wanted))) {
  console.log(file.replace('.bench.ts', ''));
  const { bench } = (await import(`./${file}`)) as { readonly bench: readonly Benchmark[] };
  for (const benchmark of bench) {
    const { name, microseconds } = measure(benchmark);
    console.log(`  ${microseconds.toFixed(2).padStart(10)} µs  ${name}`);
  }
}
