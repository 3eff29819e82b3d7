import { encodeCanonical, verifySignedJson, type JsonObject } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { requireNoCrossSigningKeys, setCrossSigningKeys } from '@portico/storage/stores/devices/cross-signing.ts';
import { queryKeys, type SignatureRow } from '@portico/storage/stores/devices/device-keys.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { OwnPassword, Person } from '../accounts/own-password.ts';
import type { AuthData, Authorization } from '../accounts/uia.ts';
import { unlessChanged } from '../devices/unless-changed.ts';
import type { DeviceListChange, DeviceListChanges } from './device-list-changes.ts';
import { verifyKeyOf, withoutUnsigned } from './parse-keys.ts';
import { requireNoDevice } from './key-names.ts';
import { signedKey } from './signed-key.ts';
import { checkCrossSigningKey, publicKeyOf, type SigningKeyUsage } from './cross-signing-key.ts';

export type CrossSigningUpload = {
  readonly master_key?: JsonObject;
  readonly self_signing_key?: JsonObject;
  readonly user_signing_key?: JsonObject;
  readonly auth?: AuthData;
};

export type UploadCrossSigning = (sender: Person, upload: CrossSigningUpload) => Promise<void>;

type Dependencies = {
  readonly db: Database;
  readonly ownPassword: OwnPassword;
  readonly changes: DeviceListChanges;
};

const operation = 'replace the cross-signing keys';
const byApp = { byApp: true };

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysdevice_signingupload} */
export function createUploadCrossSigning({ db, ownPassword, changes }: Dependencies): UploadCrossSigning {
  async function attempt(
    userId: string,
    wanted: Omit<CrossSigningUpload, 'auth'>,
    authorize: (asked: readonly string[]) => Promise<Authorization>,
  ): Promise<void> {
    const given = new Map<SigningKeyUsage, JsonObject>();
    for (const usage of ['master', 'self_signing', 'user_signing'] as const) {
      const key = wanted[`${usage}_key`];
      if (key !== undefined) given.set(usage, withoutUnsigned(key));
    }
    const place = await changes.placeOf(userId);
    const { keys, signatures } = await queryKeys(db, [[userId, '']], userId);
    const stored = new Map(keys.filter(({ kind }) => kind !== 'device').map((row) => [row.kind, row.keys]));
    const texts = new Map([...given].map(([usage, key]) => [usage, checkCrossSigningKey(userId, usage, key)]));
    const storedMaster = stored.get('master');
    const master =
      given.get('master') ?? (storedMaster === undefined ? undefined : (JSON.parse(storedMaster) as JsonObject));
    for (const [usage, key] of given) if (usage !== 'master') checkSigned(userId, key, master);

    const asked = [...texts].flat();
    const changed = [...texts].filter(([usage, text]) => !isSame(stored.get(usage), text));
    if (changed.length === 0) return;
    await requireNoDevice(db, userId, given.values());
    const set = createWriteSet();
    // "UIA is not required if there is no existing cross-signing master key uploaded to the homeserver".
    if (storedMaster === undefined && stored.size === 0) requireNoCrossSigningKeys(set, userId);
    else (await authorize(asked)).useUp(set);
    setCrossSigningKeys(set, userId, changed);
    // The user-signing key is nobody's business but its owner's.
    if (changed.some(([usage]) => usage !== 'user_signing')) {
      const signingKeys = publicKeysOf(userId, new Map([...stored, ...changed]), signatures);
      await changes.append(set, userId, { signingKeys }, place);
    }
    await db.commit(set);
  }

  return async (sender, { auth, ...wanted }) => {
    // A password is looked at once, however often others are faster.
    let authorized: Promise<Authorization> | undefined;
    await unlessChanged(() =>
      attempt(
        sender.userId,
        wanted,
        (asked) => (authorized ??= ownPassword.require(sender, operation, auth, asked, byApp)),
      ),
    );
  };
}

/** Those that others hear of. */
function publicKeysOf(
  userId: string,
  keys: ReadonlyMap<string, string>,
  signatures: readonly SignatureRow[],
): NonNullable<DeviceListChange['signingKeys']> {
  const signed = (usage: string): JsonObject | undefined => {
    const text = keys.get(usage);
    if (text === undefined) return undefined;
    return signedKey({ kind: usage, user_id: userId, id: '', keys: text, display_name: null }, signatures);
  };
  return { master: signed('master'), selfSigning: signed('self_signing') };
}

/** Whether two keys are the same, whatever signatures came with them. */
function isSame(stored: string | undefined, text: string): boolean {
  if (stored === undefined) return false;
  const bare = (key: string): string => {
    const { signatures: _signatures, ...rest } = JSON.parse(key) as { signatures?: unknown };
    return encodeCanonical(rest);
  };
  return stored === text || bare(stored) === bare(text);
}

const refuse = (reason: 'request.invalid-param' | 'keys.invalid-signature', message: string): never => {
  throw new MatrixError(reason, { message });
};

function checkSigned(userId: string, key: JsonObject, master: JsonObject | undefined): void {
  const signer = publicKeyOf(master);
  if (signer === undefined) return refuse('request.invalid-param', 'There is no master key yet.');
  const verifyKey = verifyKeyOf(signer.value);
  if (verifyKey === undefined || !verifySignedJson(key, userId, signer.id, verifyKey)) {
    refuse('keys.invalid-signature', 'The key is not signed by the master key.');
  }
}
