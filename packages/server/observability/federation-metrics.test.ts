import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFederationMetrics } from './federation-metrics.ts';
import { createMetricRegistry } from './registry.ts';

test('sending and receiving show in the metrics', async () => {
  const registry = createMetricRegistry();
  const metrics = createFederationMetrics(registry);
  metrics.watch({ states: () => ({ sending: 2, waiting: 1, failing: 0 }), queuedEvents: () => 7, queuedEdus: () => 3 });
  metrics.watchReceiving({ resolving: () => 1500, held: () => 2 });
  metrics.observeLag(30);
  const { body } = await registry.scrape();
  for (const line of [
    'portico_federation_destinations{state="sending"} 2',
    'portico_federation_destinations{state="failing"} 0',
    'portico_federation_queued_events 7',
    'portico_federation_queued_edus 3',
    'portico_state_resolution_seconds_total 1.5',
    'portico_federation_held_servers 2',
    'portico_federation_lag_seconds_bucket{le="0.05"} 1',
  ]) {
    assert.ok(body.includes(`${line}\n`), `${line} in\n${body}`);
  }
});
