import { createWriteSet, type Database } from '@portico/storage';
import { MatrixError } from '../../errors/matrix-error.ts';
import { unlessChanged } from '../devices/unless-changed.ts';
import type { KeyCountCache } from './key-counts.ts';
import { commitKeys, type KeyUpload, type PlanUpload } from './plan-upload.ts';

type Device = { readonly userId: string; readonly deviceId: string };
export type UploadKeys = (device: Device, upload: KeyUpload) => Promise<{ readonly [algorithm: string]: number }>;

type Dependencies = { readonly db: Database; readonly counts: KeyCountCache; readonly plan: PlanUpload };

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysupload} */
export function createUploadKeys({ db, counts, plan }: Dependencies): UploadKeys {
  return async ({ userId, deviceId }, upload) => {
    // "will fail to complete operations which require a device ID (such as uploading one-time keys)"
    if (deviceId === '') throw new MatrixError('device.required');
    await unlessChanged(async () => {
      const set = createWriteSet();
      await plan(set, { userId, deviceId }, upload);
      if (set.writes.length > 0) await commitKeys(db, set, { userId, deviceId }, upload);
    });
    return (await counts.of(userId, deviceId)).waiting;
  };
}
