import type { MetricRegistry } from './registry.ts';

/** What is measured of telling devices. */
export type PushMetrics = {
  readonly observe: (outcome: 'sent' | 'failed' | 'rejected', what: 'event' | 'counts') => void;
  /** Says for how many pushers there is something, and how many people have any. */
  readonly watch: (sender: { readonly queued: () => number; readonly people: () => number }) => void;
};

export function createPushMetrics(registry: MetricRegistry): PushMetrics {
  const counts = new Map<string, { labels: { outcome: string; what: string }; value: number }>();
  registry.add({
    name: 'portico_push_notifications_total',
    help: 'Notifications to push gateways, about events and about counts alone: sent, failed, or refused for good.',
    type: 'counter',
    read: () => [...counts.values()],
  });
  return {
    observe(outcome, what) {
      const key = `${outcome} ${what}`;
      const count = counts.get(key) ?? { labels: { outcome, what }, value: 0 };
      count.value += 1;
      counts.set(key, count);
    },
    watch({ queued, people }) {
      registry.gauge('portico_push_queued', 'Pushers that are being told something, or wait for their turn.', queued);
      registry.gauge('portico_push_people', 'People who are told of what happens on some device.', people);
    },
  };
}
