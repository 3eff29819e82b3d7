import { createWriteSet, type Database } from '@portico/storage';
import { claimKeys, type ClaimedRow, type WantedKey } from '@portico/storage/stores/devices/one-time-keys.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { objectText } from './key-sections.ts';

/** By user and device: the algorithm. */
export type KeyClaim = { readonly [userId: string]: { readonly [deviceId: string]: string } };

/** By user and device: an object with a key by `<algorithm>:<key_id>`, as JSON text. */
export type HandedOut = ReadonlyMap<string, ReadonlyMap<string, string>>;

const maxDevices = 2000;

/** Throws `request.too-large` for more devices than anybody needs at a time. */
export function checkClaim(claim: KeyClaim): void {
  let people = 0;
  let devices = 0;
  for (const user in claim) {
    people++;
    for (const _ in claim[user]) if (++devices > maxDevices) break;
    if (devices <= maxDevices && people <= maxDevices) continue;
    throw new MatrixError('request.too-large', { message: `At most ${maxDevices} devices at a time.` });
  }
}

/** Takes keys of this server's people. */
export async function claimLocalKeys(db: Database, claim: KeyClaim): Promise<HandedOut> {
  checkClaim(claim);
  const wanted: WantedKey[] = Object.entries(claim).flatMap(([user, devices]) =>
    Object.entries(devices).map(([device, algorithm]) => [user, device, algorithm] as const),
  );
  const found = new Map<string, Map<string, string>>();
  if (wanted.length === 0) return found;
  const set = createWriteSet();
  claimKeys(set, wanted);
  const { returned } = await db.commit(set);
  for (const row of returned.flat() as ClaimedRow[]) {
    const devices = found.get(row.user_id) ?? new Map<string, string>();
    found.set(row.user_id, devices.set(row.device_id, keyText(`${row.algorithm}:${row.key_id}`, row.key)));
  }
  return found;
}

/** `key`: JSON text. */
export function keyText(id: string, key: string): string {
  return `{${JSON.stringify(id)}:${key}}`;
}

/** The keys of people as JSON text. */
export function handedOutText(keys: HandedOut): string {
  return objectText(new Map([...keys].map(([user, devices]) => [user, objectText(devices)])));
}
