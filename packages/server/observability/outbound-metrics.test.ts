import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOutboundMetric } from './outbound-metrics.ts';
import { createMetricRegistry } from './registry.ts';

test('requests to others are counted by what they were for and how they ended', async () => {
  const registry = createMetricRegistry();
  const observe = createOutboundMetric(registry);
  observe('getServerKey', '2xx', 30);
  observe('getServerKey', '2xx', 40_000);
  observe('well-known', 'timeout', 10_000);
  const { body } = await registry.scrape();
  assert.match(body, /portico_outbound_request_seconds_count\{purpose="getServerKey",outcome="2xx"\} 2/);
  assert.match(
    body,
    /portico_outbound_request_seconds_bucket\{[^}]*le="0\.05"[^}]*purpose="getServerKey"[^}]*\} 1|portico_outbound_request_seconds_bucket\{purpose="getServerKey"[^}]*le="0\.05"[^}]*\} 1/,
  );
  assert.match(body, /portico_outbound_request_seconds_count\{purpose="well-known",outcome="timeout"\} 1/);
});
