import { encodeCanonical, filterKeys, isJsonObject, verifySignedJson, type JsonObject } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { addSignatures } from '@portico/storage/stores/devices/cross-signing.ts';
import {
  queryKeys,
  type KnownKeys,
  type PublicKeyRow,
  type SignatureRow,
} from '@portico/storage/stores/devices/device-keys.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { unlessChanged } from '../devices/unless-changed.ts';
import { createPacer } from '../pacer.ts';
import { publicKeyOf } from './cross-signing-key.ts';
import type { DeviceListChange, DeviceListChanges } from './device-list-changes.ts';
import { verifyKeyOf } from './parse-keys.ts';
import { defaultTimeout } from './query-keys.ts';
import type { RemoteLists } from './remote/remote-lists.ts';
import { signedKey } from './signed-key.ts';

/** By user, then by device or public key: the object with its new signatures. */
export type NewSignatures = { readonly [userId: string]: { readonly [keyId: string]: JsonObject } };

type Failure = { readonly errcode: string; readonly error: string };
export type SignatureFailures = { readonly [userId: string]: { readonly [keyId: string]: Failure } };

export type UploadSignatures = (signer: string, given: NewSignatures) => Promise<SignatureFailures>;

type Dependencies = {
  readonly db: Database;
  readonly changes: DeviceListChanges;
  readonly isLocal: (userId: string) => boolean;
  /** `undefined` where this server talks to no others. */
  readonly remoteLists: RemoteLists | undefined;
};

const maxObjects = 1000;
const invalid = (error: string): Failure => ({ errcode: 'M_INVALID_SIGNATURE', error });
const unknown: Failure = { errcode: 'M_NOT_FOUND', error: 'There is no such key.' };

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keyssignaturesupload} */
export function createUploadSignatures({ db, changes, isLocal, remoteLists }: Dependencies): UploadSignatures {
  // A signature takes a fifth of a millisecond to check, and there may be thousands.
  const pace = createPacer();

  /** What is known of people's keys, here or, of those of whom nothing is kept, on their servers. */
  async function find(signer: string, users: readonly string[]): Promise<KnownKeys> {
    const read = () =>
      queryKeys(
        db,
        [...new Set([signer, ...users])].map((user) => [user, '*'] as const),
        signer,
      );
    const here = await read();
    const known = new Set(here.keys.map((row) => row.user_id));
    const missing = users.filter((user) => !isLocal(user) && !known.has(user));
    if (missing.length === 0 || remoteLists === undefined) return here;
    const { kept, passing } = await remoteLists.find({ userId: signer }, missing, defaultTimeout);
    const { keys, signatures } = kept.length === 0 ? here : await read();
    return { keys: [...keys, ...passing.flatMap((list) => list.keys)], signatures };
  }

  async function upload(signer: string, wanted: readonly Signed[]): Promise<SignatureFailures> {
    const users = new Set(wanted.map(({ user }) => user));
    const place = users.has(signer) ? await changes.placeOf(signer) : undefined;
    const known = await find(signer, [...users]);
    const { keys } = known;
    const own = keys.filter((row) => row.user_id === signer);
    const failures: { [userId: string]: { [keyId: string]: Failure } } = Object.create(null) as object as {
      [userId: string]: { [keyId: string]: Failure };
    };
    const signatures: SignatureRow[] = [];
    const targets = targetsOf(keys);
    for (const { user, id, object } of wanted) {
      await pace();
      const target = targets.get(targetName(user, id));
      const checked = target === undefined ? unknown : await check(signer, own, target, id, object, pace);
      if ('errcode' in checked) (failures[user] ??= Object.create(null) as { [keyId: string]: Failure })[id] = checked;
      else signatures.push(checked);
    }
    if (signatures.length > 0) {
      const set = createWriteSet();
      const position = set.takePosition();
      addSignatures(set, signatures, position);
      // What people sign of others is seen by themselves only.
      const ownSignatures = signatures.filter((row) => row.user_id === signer);
      if (ownSignatures.length > 0) await changes.append(set, signer, changeBy(signer, known, ownSignatures), place);
      await db.commit(set);
    }
    return failures;
  }

  return async (signer, given) => {
    const wanted = objectsIn(given);
    return unlessChanged(() => upload(signer, wanted));
  };
}

type Signed = { readonly user: string; readonly id: string; readonly object: JsonObject };

/** Throws `request.too-large`, looking no further than it has to. */
function objectsIn(given: NewSignatures): Signed[] {
  const objects: Signed[] = [];
  let people = 0;
  for (const user in given) {
    if (++people > maxObjects) throw tooMany();
    for (const id in given[user]) {
      if (objects.push({ user, id, object: given[user]?.[id] ?? {} }) > maxObjects) throw tooMany();
    }
  }
  return objects;
}

const tooMany = (): MatrixError =>
  new MatrixError('request.too-large', { message: `At most ${maxObjects} signed keys at a time.` });

/** What others see of somebody's own keys with signatures added to them. */
function changeBy(signer: string, known: KnownKeys, added: readonly SignatureRow[]): DeviceListChange {
  const signatures = [...known.signatures.filter((row) => row.user_id === signer), ...added];
  const targets = new Set(added.map(({ target }) => target));
  const own = new Map<string, PublicKeyRow>(
    known.keys.filter((row) => row.user_id === signer).map((row) => [`${row.kind} ${row.id}`, row]),
  );
  const signed = (name: string): JsonObject | undefined => {
    const row = own.get(name);
    return row && signedKey(row, signatures);
  };
  const devices = [...own.values()]
    .filter((row) => row.kind === 'device' && targets.has(row.id))
    .map((row) => ({ deviceId: row.id, displayName: row.display_name, keys: signedKey(row, signatures) }));
  const master = own.get('master ');
  if (master === undefined || !targets.has(masterId(master) ?? '')) return { devices };
  return { devices, signingKeys: { master: signed('master '), selfSigning: signed('self_signing ') } };
}

const targetName = (user: string, id: string): string => `${id} ${user}`;

/** What can be signed: devices by their IDs, master keys by themselves. */
function targetsOf(keys: readonly PublicKeyRow[]): ReadonlyMap<string, PublicKeyRow> {
  const targets = new Map<string, PublicKeyRow>();
  for (const row of keys) {
    const id = row.kind === 'device' ? row.id : masterId(row);
    if (id !== undefined) targets.set(targetName(row.user_id, id), row);
  }
  return targets;
}

async function check(
  signer: string,
  own: readonly PublicKeyRow[],
  target: PublicKeyRow,
  id: string,
  object: JsonObject,
  pace: () => Promise<void> | undefined,
): Promise<SignatureRow | Failure> {
  if (bare(JSON.parse(target.keys) as JsonObject) !== bare(object))
    return invalid('The key is not the one that is known.');
  for (const { id: signerKey, value } of signersOf(signer, own, target)) {
    await pace();
    const verifyKey = verifyKeyOf(value);
    if (verifyKey === undefined || !verifySignedJson(object, signer, signerKey, verifyKey)) continue;
    const ofSigner = isJsonObject(object['signatures']) ? object['signatures'][signer] : undefined;
    const signature = isJsonObject(ofSigner) ? ofSigner[signerKey] : undefined;
    if (typeof signature !== 'string') continue;
    return { user_id: target.user_id, target: id, signer, signer_key: signerKey, signature };
  }
  return invalid('No signature by a key that may sign this is valid.');
}

/** Own devices are signed by the self-signing key, the own master key by devices, others' master keys by the user-signing key. */
function* signersOf(
  signer: string,
  own: readonly PublicKeyRow[],
  target: PublicKeyRow,
): Iterable<{ readonly id: string; readonly value: string }> {
  const isOwn = target.user_id === signer;
  if (isOwn && target.kind === 'master') {
    for (const device of own) {
      if (device.kind !== 'device') continue;
      const { keys } = JSON.parse(device.keys) as JsonObject;
      const id = `ed25519:${device.id}`;
      const value = isJsonObject(keys) ? keys[id] : undefined;
      if (typeof value === 'string') yield { id, value };
    }
    return;
  }
  if (!isOwn && target.kind !== 'master') return;
  const usage = isOwn ? 'self_signing' : 'user_signing';
  const row = own.find(({ kind }) => kind === usage);
  const key = row && publicKeyOf(JSON.parse(row.keys) as JsonObject);
  if (key !== undefined) yield key;
}

const masterId = (row: PublicKeyRow): string | undefined =>
  row.kind === 'master' ? publicKeyOf(JSON.parse(row.keys) as JsonObject)?.value : undefined;

function bare(object: JsonObject): string | undefined {
  try {
    return encodeCanonical(filterKeys(object, (name) => name !== 'signatures' && name !== 'unsigned'));
  } catch {
    return undefined;
  }
}
