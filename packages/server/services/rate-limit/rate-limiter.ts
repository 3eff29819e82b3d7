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

/** Some proxies say the port as well, which is another one for each connection. */
const withPort = /^(?:\[(.*)\](?::\d+)?|([\d.]+):\d+)$/;
/** Of an address of IPv4 that is written as one of IPv6. */
const mapped = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/;

/**
 * By what an address has its limits, however it is written: whoever has an IPv6 address has the 2^64 others of its network. What is
 * no address is taken as it is.
 */
export function addressKey(given: string): string {
  const [, inBrackets, beforePort] = withPort.exec(given) ?? [];
  const ip = inBrackets ?? beforePort ?? given;
  if (!ip.includes(':')) return ip;
  const [address] = ip.split('%', 1);
  const canonical = URL.parse(`http://[${address}]`)?.hostname.slice(1, -1);
  if (canonical === undefined) return ip;
  const [, high, low] = mapped.exec(canonical) ?? [];
  if (high !== undefined && low !== undefined) return dotted(Number.parseInt(high, 16), Number.parseInt(low, 16));
  const [head = '', tail] = canonical.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    groups.push(...Array.from({ length: 8 - groups.length - after.length }, () => '0'), ...after);
  }
  return groups.slice(0, 4).join(':');
}

/**
 * By what logins under way are shared out: whoever has a network of IPv6 often has the 65,536 others that begin with the same 48 bits,
 * and could begin one in each.
 */
export function networkKey(ip: string): string {
  return addressKey(ip).split(':').slice(0, 3).join(':');
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
