import type { Histogram } from './histogram.ts';
import { createHistogram } from './histogram.ts';
import type { MetricRegistry } from './registry.ts';

const secondsBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export type ObserveOutbound = (purpose: string, outcome: string, milliseconds: number) => void;

/** How long others take to answer, by purpose and outcome; both are of a few names, whoever is asked. */
export function createOutboundMetric(registry: MetricRegistry): ObserveOutbound {
  const series = new Map<string, { readonly labels: Record<string, string>; readonly histogram: Histogram }>();
  const name = 'portico_outbound_request_seconds';
  registry.add({
    name,
    help: 'Time from asking another server to the head of its answer, or to giving up.',
    type: 'histogram',
    read: () => [...series.values()].flatMap(({ labels, histogram }) => histogram.samples(name, labels)),
  });
  return (purpose, outcome, milliseconds) => {
    const key = `${purpose} ${outcome}`;
    let found = series.get(key);
    if (!found) series.set(key, (found = { labels: { purpose, outcome }, histogram: createHistogram(secondsBounds) }));
    found.histogram.observe(milliseconds / 1000);
  };
}
