import type { buildConnector, Pool } from 'undici';
import { OutboundError } from './outbound-error.ts';
import { type Route, routeKey } from './route.ts';

type Options = {
  readonly createConnector: (route: Route) => buildConnector.connector;
  readonly limits: PoolLimits;
};

export type PoolLimits = {
  /** Destinations with connections, or with one lately. */
  readonly destinations: number;
  /** Connections to one destination. */
  readonly connections: number;
  /** Requests to one destination, under way and waiting. */
  readonly requests: number;
  /** Milliseconds that a connection is kept without a request. */
  readonly idle: number;
};

export const defaultPoolLimits: PoolLimits = { destinations: 1000, connections: 8, requests: 200, idle: 60_000 };

export interface Pools {
  /** To be waited for before anything is found: what it loads takes a good part of the time in which a server starts. */
  load(): Promise<void>;
  /** The connections along a route, or `busy` where as much as may waits for them: to be used at once. */
  find(route: Route): Pool;
  readonly size: number;
  close(): Promise<void>;
}

/** Connections that are kept for the next request, in a pool of its own for each destination: none waits for another. */
export function createPools({ createConnector, limits }: Options): Pools {
  // In order of use, the longest unused first.
  const pools = new Map<string, Pool>();
  let PoolOf: typeof Pool | undefined;

  function makeRoom(): void {
    for (const [key, pool] of pools) {
      if (pools.size < limits.destinations) return;
      if (pool.stats.size > 0) continue;
      pools.delete(key);
      void pool.close();
    }
    if (pools.size >= limits.destinations) throw new OutboundError('busy', 'Too many destinations are asked at once');
  }

  function open(route: Route): Pool {
    if (PoolOf === undefined) throw new Error('The HTTP client has not been loaded');
    makeRoom();
    // The name is never looked at: the connector knows the way, and every request says its host.
    return new PoolOf('http://destination.invalid', {
      connect: createConnector(route),
      connections: limits.connections,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: limits.idle,
      keepAliveMaxTimeout: limits.idle,
      maxHeaderSize: 16_384,
    });
  }

  return {
    async load() {
      PoolOf ??= (await import('undici')).Pool;
    },
    find(route) {
      const key = routeKey(route);
      const known = pools.get(key);
      if (known !== undefined && known.stats.size >= limits.requests) {
        throw new OutboundError('busy', `Too many requests to ${route.host} are under way`);
      }
      const pool = known ?? open(route);
      pools.delete(key);
      pools.set(key, pool);
      return pool;
    },
    get size() {
      return pools.size;
    },
    async close() {
      const open = [...pools.values()];
      pools.clear();
      await Promise.all(open.map((pool) => pool.destroy()));
    },
  };
}
