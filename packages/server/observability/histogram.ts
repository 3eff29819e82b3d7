import type { Sample } from './registry.ts';

/**
 * Counts of values by upper bound. `observe` is an addition into an array: Prometheus' own client hashes the labels at
 * each observation, which costs more than some of our endpoints do.
 */
export interface Histogram {
  observe(value: number): void;
  /** In Prometheus' form: cumulative buckets, sum, count. */
  samples(name: string, labels: Readonly<Record<string, string>>): Sample[];
}

export function createHistogram(bounds: readonly number[]): Histogram {
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;
  return {
    observe(value) {
      let bucket = 0;
      while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      sum += value;
    },
    samples(name, labels) {
      const samples: Sample[] = [];
      let total = 0;
      for (const [index, count] of counts.entries()) {
        total += count;
        const bound = index < bounds.length ? String(bounds[index]) : '+Inf';
        samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: total });
      }
      samples.push({ metricName: `${name}_sum`, labels, value: sum });
      samples.push({ metricName: `${name}_count`, labels, value: total });
      return samples;
    },
  };
}
