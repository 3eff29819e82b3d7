import type { Database, WriteSet } from '@portico/storage';
import { dropKeysOf, markDeviceList, readJoinedRoomsOf } from '@portico/storage/stores/device-keys.ts';
import type { OnDevicesDeleted } from '../devices/devices.ts';
import type { OwnPassword } from '../accounts/own-password.ts';
import type { SyncStream } from '../sync/streams.ts';
import { createClaimKeys, type ClaimKeys } from './claim-keys.ts';
import { createUploadCrossSigning, type UploadCrossSigning } from './cross-signing.ts';
import { readDeviceLists, type DeviceLists } from './device-lists.ts';
import { createKeyCounts } from './key-counts.ts';
import { createKeysStream } from './keys-stream.ts';
import { createQueryKeys, type QueryKeys } from './query-keys.ts';
import { createUploadKeys, type UploadKeys } from './upload-keys.ts';
import { createUploadSignatures, type UploadSignatures } from './upload-signatures.ts';

export interface Keys {
  readonly upload: UploadKeys;
  readonly query: QueryKeys;
  readonly claim: ClaimKeys;
  readonly uploadCrossSigning: UploadCrossSigning;
  readonly uploadSignatures: UploadSignatures;
  /** Whose keys changed for somebody between two positions. */
  changes(userId: string, after: number, upTo: number): Promise<DeviceLists>;
  readonly stream: SyncStream;
  close(): void;
}

type Dependencies = {
  readonly db: Database;
  readonly isLocal: (userId: string) => boolean;
  readonly ownPassword: OwnPassword;
};

/** Public keys of people and devices; the server never sees a private one. */
export function createKeys({ db, isLocal, ownPassword }: Dependencies): Keys {
  const counts = createKeyCounts(db);
  return {
    upload: createUploadKeys({ db, counts }),
    query: createQueryKeys({ db, isLocal }),
    claim: createClaimKeys({ db, isLocal }),
    uploadCrossSigning: createUploadCrossSigning({ db, ownPassword }),
    uploadSignatures: createUploadSignatures({ db }),
    changes: (userId, after, upTo) => readDeviceLists(db, userId, after, Math.min(upTo, db.currentPosition())),
    stream: createKeysStream({ db, counts }),
    close: counts.close,
  };
}

/** Drops the keys of devices that are deleted, and tells those who knew them. */
export function forgetKeysWith(db: Database): OnDevicesDeleted {
  return async (set: WriteSet, userId, deviceIds) => {
    if (deviceIds.length === 0) return;
    dropKeysOf(set, userId, deviceIds);
    markDeviceList(set, userId, await readJoinedRoomsOf(db, userId), set.takePosition());
  };
}
