import type { Keys } from '../../../services/keys/keys.ts';
import type { KeyBackup } from '../../../services/keys/key-backup.ts';
import type { Endpoint } from '../../endpoint.ts';
import { backedUpKeyEndpoints } from './backed-up-keys.ts';
import { backupVersionEndpoints } from './backup-versions.ts';
import { claimKeys } from './claim-keys.ts';
import { getKeyChanges } from './get-key-changes.ts';
import { queryKeys } from './query-keys.ts';
import { uploadCrossSigningKeys } from './upload-cross-signing-keys.ts';
import { uploadKeys } from './upload-keys.ts';
import { uploadSignatures } from './upload-signatures.ts';

/** Keys for end-to-end encryption. */
export const keyEndpoints: readonly Endpoint<{ keys: Keys; keyBackup: KeyBackup }>[] = [
  uploadKeys,
  queryKeys,
  claimKeys,
  getKeyChanges,
  uploadCrossSigningKeys,
  uploadSignatures,
  ...backupVersionEndpoints,
  ...backedUpKeyEndpoints,
];
