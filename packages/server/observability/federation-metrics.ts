import { createHistogram } from './histogram.ts';
import type { MetricRegistry } from './registry.ts';

const secondsBounds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600];

/** What is measured of sending to other servers. */
export type FederationMetrics = {
  /** Told how long there was something for a server until it had all of that, in milliseconds. */
  readonly observeLag: (milliseconds: number) => void;
  /** Says how many servers are in which state, and how many events and passing EDUs wait in memory for all of them. */
  readonly watch: (sender: {
    readonly states: () => Readonly<Record<string, number>>;
    readonly queuedEvents: () => number;
    readonly queuedEdus: () => number;
  }) => void;
  /** Says how many milliseconds resolving states has taken, and how many servers are held up for what their events cost, once for each room. */
  readonly watchReceiving: (receiving: { readonly resolving: () => number; readonly held: () => number }) => void;
};

export function createFederationMetrics(registry: MetricRegistry): FederationMetrics {
  const lag = createHistogram(secondsBounds);
  const name = 'portico_federation_lag_seconds';
  const help = 'Time from the commit of something for another server to its acknowledgement of a transaction with it.';
  registry.add({ name, help, type: 'histogram', read: () => lag.samples(name, {}) });
  return {
    observeLag: (milliseconds) => lag.observe(milliseconds / 1000),
    watch({ states, queuedEvents, queuedEdus }) {
      registry.add({
        name: 'portico_federation_destinations',
        help:
          'Servers for which there is something: those being sent it, waiting for their turn, or out of reach. ' +
          'Of the latter no more than 50000 are counted.',
        type: 'gauge',
        read: () => Object.entries(states()).map(([state, value]) => ({ labels: { state }, value })),
      });
      registry.gauge(
        'portico_federation_queued_events',
        'Events that wait in memory, once for each server. Servers that are behind have theirs in the database.',
        queuedEvents,
      );
      registry.gauge('portico_federation_queued_edus', 'Typing and presence that wait for other servers.', queuedEdus);
    },
    watchReceiving({ resolving, held }) {
      registry.add({
        name: 'portico_state_resolution_seconds_total',
        help: 'Computing time that resolving the states of rooms with several branches has taken.',
        type: 'counter',
        read: () => [{ value: resolving() / 1000 }],
      });
      registry.gauge(
        'portico_federation_held_servers',
        'Servers whose events wait since those before them have cost too much, once for each room.',
        held,
      );
    },
  };
}
