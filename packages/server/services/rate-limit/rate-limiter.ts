import { MatrixError } from '../../errors/matrix-error.ts';
import type { WatchCache } from '../../observability/cache-metrics.ts';
import { defaultRates, type Rate, type RateClass } from './rate-classes.ts';

export interface RateLimiter {
  /** Takes a token from the bucket of `key`, or throws `request.limit-exceeded`. */
  take(rateClass: RateClass, key: string): void;
  /** Throws `request.limit-exceeded` where `take` would, without taking. */
  check(rateClass: RateClass, key: string): void;
}

type Options = {
  readonly enabled: boolean;
  readonly rates?: Readonly<Record<RateClass, Rate>>;
  readonly now: () => number;
  /** Buckets kept per class. The least recently used goes first; by then it is mostly full again. */
  readonly maxBuckets?: number;
  readonly watch?: WatchCache | undefined;
};

type Bucket = { tokens: number; at: number };

/** Token buckets in the memory of this process: with several processes, each allows the configured rate. */
export function createRateLimiter(options: Options): RateLimiter {
  const { enabled, rates = defaultRates, now, maxBuckets = 20_000, watch } = options;
  const buckets = new Map<RateClass, Map<string, Bucket>>();
  watch?.('rate_limits', {
    size: () => [...buckets.values()].reduce((sum, { size }) => sum + size, 0),
    limit: () => maxBuckets * Object.keys(rates).length,
  });

  function refill(rateClass: RateClass, key: string): Bucket {
    let ofClass = buckets.get(rateClass);
    if (ofClass === undefined) {
      ofClass = new Map();
      buckets.set(rateClass, ofClass);
    }
    const rate = rates[rateClass];
    const at = now();
    let bucket = ofClass.get(key);
    if (bucket === undefined) {
      bucket = { tokens: rate.burst, at };
      if (ofClass.size >= maxBuckets) ofClass.delete(ofClass.keys().next().value ?? key);
    } else {
      bucket.tokens = Math.min(rate.burst, bucket.tokens + (Math.max(0, at - bucket.at) / 1000) * rate.perSecond);
      bucket.at = at;
      ofClass.delete(key);
    }
    ofClass.set(key, bucket);
    return bucket;
  }

  function refuseIfEmpty(rateClass: RateClass, bucket: Bucket): void {
    if (bucket.tokens >= 1) return;
    const wait = Math.ceil(((1 - bucket.tokens) / rates[rateClass].perSecond) * 1000);
    throw new MatrixError('request.limit-exceeded', { fields: { retry_after_ms: wait } });
  }

  return {
    take(rateClass, key) {
      if (!enabled) return;
      const bucket = refill(rateClass, key);
      refuseIfEmpty(rateClass, bucket);
      bucket.tokens -= 1;
    },
    check(rateClass, key) {
      if (enabled) refuseIfEmpty(rateClass, refill(rateClass, key));
    },
  };
}

/** Whoever has an IPv6 address has the 2^64 others of its network. */
export function addressKey(ip: string): string {
  if (!ip.includes(':') || ip.startsWith('::ffff:')) return ip;
  const [head = '', tail] = ip.split('::');
  const groups = head.split(':');
  if (tail !== undefined) {
    const known = groups.length + (tail === '' ? 0 : tail.split(':').length);
    for (let missing = 8 - known; missing > 0; missing--) groups.push('0');
    groups.push(...tail.split(':'));
  }
  return groups
    .slice(0, 4)
    .map((group) => (group === '' ? '0' : group))
    .join(':');
}
