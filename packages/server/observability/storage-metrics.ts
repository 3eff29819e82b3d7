import { createHistogram } from './histogram.ts';
import type { MetricRegistry } from './registry.ts';

const setBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const secondsBounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** What storage reports about its commits, as the engines call it. */
export type StorageMetrics = {
  group(group: { sets: number; bytes: number; waited: number; took: number }): void;
  checkpoint(checkpoint: { pages: number; took: number }): void;
  overloaded(): void;
  reconnected(): void;
};

export function createStorageMetrics(registry: MetricRegistry): StorageMetrics {
  const histogram = (name: string, help: string, bounds: readonly number[]) => {
    const counts = createHistogram(bounds);
    registry.add({ name, help, type: 'histogram', read: () => counts.samples(name, {}) });
    return counts;
  };
  const sets = histogram('portico_commit_group_sets', 'Write sets committed together.', setBounds);
  const waited = histogram('portico_commit_wait_seconds', 'How long the oldest set of a group waited.', secondsBounds);
  const took = histogram('portico_commit_seconds', 'How long the transaction of a group took.', secondsBounds);
  const checkpoints = histogram('portico_checkpoint_seconds', 'How long a checkpoint of the log took.', secondsBounds);
  const bytes = registry.counter('portico_commit_bytes_total', 'Bytes of parameters in committed write sets.');
  const overloaded = registry.counter('portico_commit_refused_total', 'Write sets refused because the queue was full.');
  const reconnected = registry.counter('portico_database_reconnects_total', 'Lost database connections made anew.');
  return {
    group(group) {
      sets.observe(group.sets);
      waited.observe(group.waited / 1000);
      took.observe(group.took / 1000);
      bytes.add(group.bytes);
    },
    checkpoint: (checkpoint) => checkpoints.observe(checkpoint.took / 1000),
    overloaded: () => overloaded.add(),
    reconnected: () => reconnected.add(),
  };
}
