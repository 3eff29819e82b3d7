/**
 * How many notifications are under way at once: so many to each gateway, and fewer altogether to pushers that have failed
 * lately, so that gateways which hang keep nobody waiting but their own people.
 */
export interface GatewayLanes {
  run(gateway: string, isFailing: boolean, work: () => Promise<void>): Promise<void>;
}

export type LaneLimits = { readonly gateway: number; readonly healthy: number; readonly failing: number };

export function createGatewayLanes(limits: LaneLimits = { gateway: 8, healthy: 64, failing: 16 }): GatewayLanes {
  const running = { healthy: 0, failing: 0 };
  const busy = new Map<string, number>();
  const queues = { healthy: new Map<string, (() => void)[]>(), failing: new Map<string, (() => void)[]>() };

  function next(kind: 'healthy' | 'failing'): void {
    const queue = queues[kind];
    for (const [gateway, waiting] of Array.from(queue)) {
      if (running[kind] >= limits[kind]) return;
      while ((busy.get(gateway) ?? 0) < limits.gateway && running[kind] < limits[kind]) {
        const start = waiting.shift();
        if (start === undefined) break;
        running[kind] += 1;
        busy.set(gateway, (busy.get(gateway) ?? 0) + 1);
        start();
      }
      queue.delete(gateway);
      // The others come first next time.
      if (waiting.length > 0) queue.set(gateway, waiting);
    }
  }

  return {
    async run(gateway, isFailing, work) {
      const kind = isFailing ? 'failing' : 'healthy';
      await new Promise<void>((resolve) => {
        const waiting = queues[kind].get(gateway);
        if (waiting === undefined) queues[kind].set(gateway, [resolve]);
        else waiting.push(resolve);
        next(kind);
      });
      try {
        await work();
      } finally {
        running[kind] -= 1;
        const left = (busy.get(gateway) ?? 1) - 1;
        if (left === 0) busy.delete(gateway);
        else busy.set(gateway, left);
        next('healthy');
        next('failing');
      }
    },
  };
}
