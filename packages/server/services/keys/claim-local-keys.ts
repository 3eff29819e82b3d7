import { createWriteSet, type Database } from '@portico/storage';
import { claimKeys, type ClaimedRow, type WantedKey } from '@portico/storage/stores/one-time-keys.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Failures } from './failures.ts';

/** By user and device: the algorithm. */
export type KeyClaim = { readonly [userId: string]: { readonly [deviceId: string]: string } };

/** By user and device: a key by `<algorithm>:<key_id>`. */
export type HandedOut = {
  readonly [userId: string]: { readonly [deviceId: string]: { readonly [id: string]: unknown } };
};

export type ClaimedKeys = { readonly one_time_keys: HandedOut; readonly failures: Failures };

const maxDevices = 2000;

/** Throws `request.too-large` for more devices than anybody needs at a time. */
export function checkClaim(claim: KeyClaim): void {
  let devices = 0;
  for (const ofUser of Object.values(claim)) devices += Object.keys(ofUser).length;
  if (devices > maxDevices) {
    throw new MatrixError('request.too-large', { message: `At most ${maxDevices} devices at a time.` });
  }
}

/** Takes keys of this server's people. */
export async function claimLocalKeys(db: Database, claim: KeyClaim): Promise<HandedOut> {
  checkClaim(claim);
  const wanted: WantedKey[] = Object.entries(claim).flatMap(([user, devices]) =>
    Object.entries(devices).map(([device, algorithm]) => [user, device, algorithm] as const),
  );
  if (wanted.length === 0) return {};
  const set = createWriteSet();
  claimKeys(set, wanted);
  const { returned } = await db.commit(set);
  const found = new Map<string, Map<string, { readonly [id: string]: unknown }>>();
  for (const row of returned.flat() as ClaimedRow[]) {
    const devices = found.get(row.user_id) ?? new Map<string, { readonly [id: string]: unknown }>();
    found.set(row.user_id, devices.set(row.device_id, { [`${row.algorithm}:${row.key_id}`]: JSON.parse(row.key) }));
  }
  return Object.fromEntries([...found].map(([user, devices]) => [user, Object.fromEntries(devices)]));
}
