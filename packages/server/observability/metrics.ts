import type { WatchCache } from './cache-metrics.ts';
import { createCacheMetrics } from './cache-metrics.ts';
import type { FederationMetrics } from './federation-metrics.ts';
import { createFederationMetrics } from './federation-metrics.ts';
import type { ObserveRequest } from './http-metrics.ts';
import { createRequestMetric } from './http-metrics.ts';
import type { ObserveOutbound } from './outbound-metrics.ts';
import { createOutboundMetric } from './outbound-metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { createPushMetrics, type PushMetrics } from './push-metrics.ts';
import type { MetricRegistry } from './registry.ts';
import { createMetricRegistry } from './registry.ts';
import type { StorageMetrics } from './storage-metrics.ts';
import { createStorageMetrics } from './storage-metrics.ts';

/** Everything that is measured. */
export type Metrics = {
  readonly registry: MetricRegistry;
  readonly observeRequest: ObserveRequest;
  readonly observeOutbound: ObserveOutbound;
  readonly storage: StorageMetrics;
  readonly watchCache: WatchCache;
  readonly federation: FederationMetrics;
  readonly push: PushMetrics;
  /** Says how many long polls are open. */
  readonly watchOpenSyncs: (count: () => number) => void;
  readonly close: () => void;
};

export function createMetrics(): Metrics {
  const registry = createMetricRegistry();
  return {
    registry,
    observeRequest: createRequestMetric(registry),
    observeOutbound: createOutboundMetric(registry),
    storage: createStorageMetrics(registry),
    watchCache: createCacheMetrics(registry),
    federation: createFederationMetrics(registry),
    push: createPushMetrics(registry),
    watchOpenSyncs: (count) => registry.gauge('portico_open_syncs', 'Syncs that wait for something to happen.', count),
    close: addProcessMetrics(registry),
  };
}
