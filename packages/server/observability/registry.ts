import type { Metric } from 'prom-client';

/** One line of what Prometheus scrapes. */
export type Sample = {
  readonly metricName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
};

type MetricType = 'counter' | 'gauge' | 'histogram';
type MetricDefinition = {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly read: () => readonly Sample[];
};

/** Where metrics are known by name. They are numbers kept by whoever counts, read only when somebody scrapes. */
export interface MetricRegistry {
  add(metric: MetricDefinition): void;
  /** A number that only grows, read when scraped. */
  counter(name: string, help: string): { add(amount?: number): void };
  gauge(name: string, help: string, read: () => number): void;
  /** The text of a scrape. */
  scrape(): Promise<{ contentType: string; body: string }>;
}

export function createMetricRegistry(): MetricRegistry {
  const metrics = new Map<string, MetricDefinition>();
  const add = (metric: MetricDefinition) => {
    if (metrics.has(metric.name)) throw new Error(`There are two metrics called ${metric.name}`);
    metrics.set(metric.name, metric);
  };
  return {
    add,
    counter(name, help) {
      let value = 0;
      add({ name, help, type: 'counter', read: () => [{ value }] });
      return { add: (amount = 1) => void (value += amount) };
    },
    gauge: (name, help, read) => add({ name, help, type: 'gauge', read: () => [{ value: read() }] }),
    scrape: () => scrape([...metrics.values()]),
  };
}

// Loaded at the first scrape: it takes longer to load than everything else here.
async function scrape(metrics: readonly MetricDefinition[]): Promise<{ contentType: string; body: string }> {
  const { Registry } = await import('prom-client');
  const registry = new Registry();
  for (const { name, help, type, read } of metrics) {
    // All that a registry asks of a metric; its own classes would count for us, which costs more than counting.
    const metric = { name, get: async () => ({ name, help, type, values: read(), aggregator: 'sum' }) };
    registry.registerMetric(metric as unknown as Metric);
  }
  return { contentType: registry.contentType, body: await registry.metrics() };
}
