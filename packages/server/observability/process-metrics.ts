import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { MetricRegistry } from './registry.ts';

/**
 * How often the event loop's delay is sampled, in milliseconds. Each sample wakes the process, so an idle server pays
 * for it: at 100 a block of that length is seen for certain, a shorter one by chance.
 */
const samplingInterval = 100;

/** The process as the operating system and the runtime see it. Answers the function that stops the sampling. */
export function addProcessMetrics(registry: MetricRegistry): () => void {
  const delay = monitorEventLoopDelay({ resolution: samplingInterval });
  delay.enable();
  const lag = (nanoseconds: number) => Math.max(0, (nanoseconds || 0) / 1e9 - samplingInterval / 1000);
  registry.add({
    name: 'portico_event_loop_lag_seconds',
    help: 'How late the event loop was since the last scrape.',
    type: 'gauge',
    read() {
      const samples = [
        { labels: { quantile: '0.5' }, value: lag(delay.percentile(50)) },
        { labels: { quantile: '0.99' }, value: lag(delay.percentile(99)) },
        { labels: { quantile: '1' }, value: lag(delay.max) },
      ];
      delay.reset();
      return samples;
    },
  });
  registry.add({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of all threads, in user and kernel mode.',
    type: 'counter',
    read: () => {
      const { user, system } = process.cpuUsage();
      return [{ value: (user + system) / 1e6 }];
    },
  });
  const started = performance.timeOrigin / 1000;
  registry.gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.', () => started);
  registry.gauge('process_resident_memory_bytes', 'Memory in RAM.', () => process.memoryUsage.rss());
  registry.gauge(
    'portico_heap_used_bytes',
    'Memory in use on the heap of the main thread.',
    () => process.memoryUsage().heapUsed,
  );
  registry.gauge('portico_event_loop_utilization', 'Share of its life that the event loop was busy.', () => {
    return performance.eventLoopUtilization().utilization;
  });
  return () => void delay.disable();
}
