import type { Database } from '@portico/storage';
import type { KeyAsker } from './asker.ts';
import { checkClaim, claimLocalKeys, handedOutText, type KeyClaim } from './claim-local-keys.ts';
import { defaultTimeout, failuresOf } from './query-keys.ts';
import type { ClaimRemoteKeys } from './remote/claim-remote-keys.ts';

/** The response as JSON text. `timeout`: for how long other servers are waited for, in milliseconds. */
export type ClaimKeys = (asker: KeyAsker, claim: KeyClaim, timeout?: number) => Promise<string>;

type Dependencies = {
  readonly db: Database;
  readonly isLocal: (userId: string) => boolean;
  /** `undefined` where this server talks to no others. */
  readonly claimRemote: ClaimRemoteKeys | undefined;
};

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim} */
export function createClaimKeys({ db, isLocal, claimRemote }: Dependencies): ClaimKeys {
  return async (asker, claim, timeout = defaultTimeout) => {
    checkClaim(claim);
    const entries = Object.entries(claim).filter(([, devices]) => Object.keys(devices).length > 0);
    const local = Object.fromEntries(entries.filter(([user]) => isLocal(user)));
    const remote = entries.filter(([user]) => !isLocal(user));
    const elsewhere =
      claimRemote === undefined || remote.length === 0
        ? { keys: new Map(), failures: failuresOf(remote.map(([user]) => user)) }
        : claimRemote(asker, Object.fromEntries(remote), timeout);
    const [own, others] = await Promise.all([claimLocalKeys(db, local), elsewhere]);
    const all = handedOutText(new Map([...others.keys, ...own]));
    return `{"one_time_keys":${all},"failures":${JSON.stringify(others.failures)}}`;
  };
}
