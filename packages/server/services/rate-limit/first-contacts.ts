import type { Reader } from '@portico/storage';
import { readUnmet } from '@portico/storage/stores/federation/federation-destinations.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RateLimiter } from './rate-limiter.ts';

/**
 * Bounds with how many servers somebody can make this one have to do that it has never had to do with. What is for a server waits
 * until it has got it or has not answered for a week, whether there is one or not. How much waits for each is bounded; so must be how
 * many there are.
 */
export interface FirstContacts {
  /** Throws `request.limit-exceeded` where somebody writes to more of them than anybody would. */
  check(sender: string, hosts: readonly string[]): Promise<void>;
  /** Of these servers those that are known, and as many others as may be. */
  permitted(sender: string, hosts: readonly string[]): Promise<ReadonlySet<string>>;
}

type Dependencies = { readonly db: Reader; readonly rateLimiter: Pick<RateLimiter, 'take'> };

export function createFirstContacts({ db, rateLimiter }: Dependencies): FirstContacts {
  const take = (sender: string): void => rateLimiter.take('first-contact', sender);

  function isLeft(sender: string): boolean {
    try {
      take(sender);
      return true;
    } catch (error) {
      if (error instanceof MatrixError && error.reason === 'request.limit-exceeded') return false;
      throw error;
    }
  }

  return {
    async check(sender, hosts) {
      for (const _ of await readUnmet(db, hosts)) take(sender);
    },
    async permitted(sender, hosts) {
      const refused = new Set((await readUnmet(db, hosts)).filter(() => !isLeft(sender)));
      return new Set(hosts.filter((host) => !refused.has(host)));
    },
  };
}
