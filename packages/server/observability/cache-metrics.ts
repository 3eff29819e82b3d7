import type { MetricRegistry } from './registry.ts';

/** A cache or queue that says how it is doing; the numbers are read only when somebody scrapes. */
export type Watched = {
  readonly size: () => number;
  readonly limit: () => number;
  readonly hits?: () => number;
  readonly misses?: () => number;
};

export type WatchCache = (cache: string, watched: Watched) => void;

/** Makes the function by which every cache, queue and buffer announces itself, under a name of its own. */
export function createCacheMetrics(registry: MetricRegistry): WatchCache {
  const caches = new Map<string, Watched>();
  const add = (name: string, help: string, type: 'counter' | 'gauge', field: keyof Watched) =>
    registry.add({
      name,
      help,
      type,
      read: () =>
        [...caches].flatMap(([cache, watched]) => {
          const value = watched[field]?.();
          return value === undefined ? [] : [{ labels: { cache }, value }];
        }),
    });
  add('portico_cache_size', 'What a cache, queue or buffer holds, in the unit of its limit.', 'gauge', 'size');
  add('portico_cache_limit', 'What it may hold.', 'gauge', 'limit');
  add('portico_cache_hits_total', 'Look-ups that found something.', 'counter', 'hits');
  add('portico_cache_misses_total', 'Look-ups that found nothing.', 'counter', 'misses');
  return (cache, watched) => {
    if (caches.has(cache)) throw new Error(`There are two caches called ${cache}`);
    caches.set(cache, watched);
  };
}
