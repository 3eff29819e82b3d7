import { isJsonObject, type JsonObject } from '@portico/protocol';
import { MatrixError } from '../../errors/matrix-error.ts';
import { canonical, isSignatures, verifyKeyOf } from './parse-keys.ts';

export type SigningKeyUsage = 'master' | 'self_signing' | 'user_signing';

const refuse = (message: string): never => {
  throw new MatrixError('request.invalid-param', { message });
};

export function publicKeyOf(key: JsonObject | undefined): { readonly id: string; readonly value: string } | undefined {
  const entries = isJsonObject(key?.['keys']) ? Object.entries(key['keys']) : [];
  const [id, value] = entries[0] ?? [];
  if (entries.length !== 1 || id === undefined || typeof value !== 'string') return undefined;
  return { id, value };
}

/** A cross-signing key as it is stored. Throws `request.invalid-param`. */
export function checkCrossSigningKey(userId: string, usage: SigningKeyUsage, key: JsonObject): string {
  const { user_id: user, usage: usages, signatures } = key;
  if (user !== userId) refuse('A cross-signing key names its owner.');
  if (!Array.isArray(usages) || !usages.includes(usage)) {
    refuse(`The ${usage} key must have that usage.`);
  }
  const found = publicKeyOf(key);
  if (found === undefined || found.id !== `ed25519:${found.value}` || verifyKeyOf(found.value) === undefined) {
    refuse('A cross-signing key has one ed25519 key, named after itself.');
  }
  if (signatures !== undefined && !isSignatures(signatures)) {
    refuse('signatures must be an object of signatures.');
  }
  return canonical(key);
}
