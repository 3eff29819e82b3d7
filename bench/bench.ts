/** One operation to measure. `run` does it once; an operation may do several and say how many. */
export type Benchmark = {
  readonly name: string;
  readonly run: () => unknown;
  /** How many operations one `run` does; one if left out. */
  readonly operations?: number;
};

export type Measurement = { readonly name: string; readonly microseconds: number };

const warmUpMs = 100;
const sampleMs = 100;
const samples = 5;

/** The best of a few samples: what the operation costs when nothing else disturbs it. */
export function measure(benchmark: Benchmark): Measurement {
  const perRun = benchmark.operations ?? 1;
  let runs = countRuns(benchmark.run, warmUpMs);
  runs = Math.max(1, Math.floor((runs * sampleMs) / warmUpMs));
  let best = Number.POSITIVE_INFINITY;
  for (let sample = 0; sample < samples; sample++) {
    const start = performance.now();
    for (let run = 0; run < runs; run++) benchmark.run();
    best = Math.min(best, performance.now() - start);
  }
  return { name: benchmark.name, microseconds: (best * 1000) / (runs * perRun) };
}

function countRuns(run: () => unknown, milliseconds: number): number {
  const end = performance.now() + milliseconds;
  let runs = 0;
  while (performance.now() < end) {
    run();
    runs += 1;
  }
  return runs;
}
