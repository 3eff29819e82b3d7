import type { RequestAuth } from '../signing/request-auth.ts';
import type { FederationSender } from './sender.ts';

/** Whoever proves that a request is theirs can most likely be reached again, whatever it asks for. */
export function tellOfRequests(auth: RequestAuth, sender: Pick<FederationSender, 'heardOf'>): RequestAuth {
  return {
    admit: auth.admit,
    async verify(claim, request) {
      const origin = await auth.verify(claim, request);
      sender.heardOf(origin);
      return origin;
    },
  };
}
