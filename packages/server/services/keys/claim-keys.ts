import { createWriteSet, type Database } from '@portico/storage';
import { claimKeys, type ClaimedRow, type WantedKey } from '@portico/storage/stores/one-time-keys.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { splitUsers, type Failures } from './query-keys.ts';

/** By user and device: the algorithm. */
export type KeyClaim = { readonly [userId: string]: { readonly [deviceId: string]: string } };

export type ClaimedKeys = {
  readonly one_time_keys: {
    readonly [userId: string]: { readonly [deviceId: string]: { readonly [id: string]: unknown } };
  };
  readonly failures: Failures;
};

export type ClaimKeys = (claim: KeyClaim) => Promise<ClaimedKeys>;

const maxDevices = 2000;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim} */
export function createClaimKeys({
  db,
  isLocal,
}: {
  readonly db: Database;
  readonly isLocal: (userId: string) => boolean;
}): ClaimKeys {
  return async (claim) => {
    const { local, failures } = splitUsers(Object.keys(claim), isLocal);
    const wanted: WantedKey[] = local.flatMap((user) =>
      Object.entries(claim[user] ?? {}).map(([device, algorithm]) => [user, device, algorithm] as const),
    );
    if (wanted.length > maxDevices) {
      throw new MatrixError('request.too-large', { message: `At most ${maxDevices} devices at a time.` });
    }
    if (wanted.length === 0) return { one_time_keys: {}, failures };
    const set = createWriteSet();
    claimKeys(set, wanted);
    const { returned } = await db.commit(set);
    const found = new Map<string, Map<string, { readonly [id: string]: unknown }>>();
    for (const row of returned.flat() as ClaimedRow[]) {
      const devices = found.get(row.user_id) ?? new Map<string, { readonly [id: string]: unknown }>();
      found.set(row.user_id, devices.set(row.device_id, { [`${row.algorithm}:${row.key_id}`]: JSON.parse(row.key) }));
    }
    const keys = Object.fromEntries([...found].map(([user, devices]) => [user, Object.fromEntries(devices)]));
    return { one_time_keys: keys, failures };
  };
}
