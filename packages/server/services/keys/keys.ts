import type { Database } from '@portico/storage';
import type { OwnPassword } from '../accounts/own-password.ts';
import type { SyncStream } from '../sync/streams.ts';
import { createClaimKeys, type ClaimKeys } from './claim-keys.ts';
import { createUploadCrossSigning, type UploadCrossSigning } from './cross-signing.ts';
import type { DeviceListChanges } from './device-list-changes.ts';
import { readDeviceLists, type DeviceLists } from './device-lists.ts';
import { createKeyCounts } from './key-counts.ts';
import { createKeysStream } from './keys-stream.ts';
import { createPlanUpload, type PlanUpload } from './plan-upload.ts';
import { createQueryKeys, type QueryKeys } from './query-keys.ts';
import type { ClaimRemoteKeys } from './remote/claim-remote-keys.ts';
import type { RemoteLists } from './remote/remote-lists.ts';
import { createUploadKeys, type UploadKeys } from './upload-keys.ts';
import { createUploadSignatures, type UploadSignatures } from './upload-signatures.ts';

export interface Keys {
  readonly upload: UploadKeys;
  /** Part of an upload that is more than keys. */
  readonly plan: PlanUpload;
  readonly query: QueryKeys;
  readonly claim: ClaimKeys;
  readonly uploadCrossSigning: UploadCrossSigning;
  readonly uploadSignatures: UploadSignatures;
  /** Whose keys changed for somebody between two positions. */
  changes(userId: string, after: number, upTo: number): Promise<DeviceLists>;
  readonly stream: SyncStream;
  close(): void;
}

/** How other servers are asked for the keys of their people. */
export type RemoteKeys = { readonly lists: RemoteLists; readonly claim: ClaimRemoteKeys };

type Dependencies = {
  readonly db: Database;
  readonly isLocal: (userId: string) => boolean;
  readonly ownPassword: OwnPassword;
  readonly deviceListChanges: DeviceListChanges;
  /** Whether other servers are told the names of devices. */
  readonly tellsNames: boolean;
  /** `undefined` where this server talks to no others. */
  readonly remote: RemoteKeys | undefined;
};

/** Public keys of people and devices; the server never sees a private one. */
export function createKeys({ db, isLocal, ownPassword, tellsNames, remote, ...given }: Dependencies): Keys {
  const changes = given.deviceListChanges;
  const counts = createKeyCounts(db);
  const plan = createPlanUpload({ db, changes, tellsNames });
  return {
    plan,
    upload: createUploadKeys({ db, counts, plan }),
    query: createQueryKeys({ db, isLocal, remoteLists: remote?.lists }),
    claim: createClaimKeys({ db, isLocal, claimRemote: remote?.claim }),
    uploadCrossSigning: createUploadCrossSigning({ db, ownPassword, changes }),
    uploadSignatures: createUploadSignatures({ db, changes, isLocal, remoteLists: remote?.lists }),
    changes: (userId, after, upTo) => readDeviceLists(db, userId, after, Math.min(upTo, db.currentPosition())),
    stream: createKeysStream({ db, counts }),
    close: counts.close,
  };
}
