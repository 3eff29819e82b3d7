import type { Histogram } from './histogram.ts';
import { createHistogram } from './histogram.ts';
import type { MetricRegistry, Sample } from './registry.ts';

const secondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export type ObserveRequest = (operationId: string, method: string, status: number, milliseconds: number) => void;

/** How long requests take, by endpoint, method and class of status. Endpoints are declared, so their number is bounded. */
export function createRequestMetric(registry: MetricRegistry): ObserveRequest {
  const series = new Map<string, Map<string, Histogram[]>>();

  const find = (operationId: string, method: string, statusClass: number): Histogram => {
    let methods = series.get(operationId);
    if (!methods) series.set(operationId, (methods = new Map()));
    let classes = methods.get(method);
    if (!classes) methods.set(method, (classes = []));
    return (classes[statusClass] ??= createHistogram(secondsBounds));
  };

  const name = 'portico_http_request_seconds';
  registry.add({
    name,
    help: 'Time from the request line to the last byte of the answer, long polls included.',
    type: 'histogram',
    read() {
      const samples: Sample[] = [];
      for (const [operation, methods] of series) {
        for (const [method, classes] of methods) {
          for (const [statusClass, histogram] of classes.entries()) {
            if (histogram) samples.push(...histogram.samples(name, { operation, method, status: `${statusClass}xx` }));
          }
        }
      }
      return samples;
    },
  });
  return (operationId, method, status, milliseconds) =>
    find(operationId, method, Math.trunc(status / 100)).observe(milliseconds / 1000);
}
