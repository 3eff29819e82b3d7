import type { Reader } from '@portico/storage';
import { readUnmet } from '@portico/storage/stores/federation/federation-destinations.ts';
import type { RateLimiter } from '../rate-limit/rate-limiter.ts';

type Dependencies = { readonly db: Reader; readonly rateLimiter: Pick<RateLimiter, 'take'> };

/** Throws `request.limit-exceeded` where somebody writes to more servers than anybody would that this one has never had to do with. */
export type CheckFirstContacts = (sender: string, hosts: readonly string[]) => Promise<void>;

/**
 * What is for a server waits until it has got it or has not answered for a week, whether there is one or not. How much waits for
 * each is bounded; so must be how many there are.
 */
export function createCheckFirstContacts({ db, rateLimiter }: Dependencies): CheckFirstContacts {
  return async (sender, hosts) => {
    for (const _ of await readUnmet(db, hosts)) rateLimiter.take('first-contact', sender);
  };
}
