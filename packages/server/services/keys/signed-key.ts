import { isJsonObject, type JsonObject, type JsonValue } from '@portico/protocol';
import type { PublicKeyRow, SignatureRow } from '@portico/storage/stores/devices/device-keys.ts';

/** The stored object with what was signed later, and the device's name, in its text. */
export function render(row: PublicKeyRow, signatures: readonly SignatureRow[] | undefined): string {
  const text = signedText(row, signatures);
  if (row.kind !== 'device') return text;
  const name = row.display_name === null ? '' : `"device_display_name":${JSON.stringify(row.display_name)}`;
  return `${text.slice(0, -1)},"unsigned":{${name}}}`;
}

/** The stored object with what was signed later. */
export function signedKey(row: PublicKeyRow, signatures: readonly SignatureRow[] | undefined): JsonObject {
  return JSON.parse(signedText(row, signatures)) as JsonObject;
}

function signedText(row: PublicKeyRow, signatures: readonly SignatureRow[] | undefined): string {
  if (signatures === undefined) return row.keys;
  const object = JSON.parse(row.keys) as JsonObject;
  const target = targetOf(row, object);
  const added = signatures.filter((signature) => signature.target === target);
  return added.length === 0 ? row.keys : JSON.stringify({ ...object, signatures: merge(object['signatures'], added) });
}

/** By what a signature names the key: a device's ID, or the public key. */
function targetOf(row: PublicKeyRow, object: JsonObject): string | undefined {
  if (row.kind === 'device') return row.id;
  const { keys } = object;
  const [keyId] = isJsonObject(keys) ? Object.keys(keys) : [];
  return keyId?.slice(keyId.indexOf(':') + 1);
}

function merge(known: JsonValue | undefined, added: readonly SignatureRow[]): JsonObject {
  const signatures = new Map(Object.entries(isJsonObject(known) ? known : {}));
  for (const { signer, signer_key: key, signature } of added) {
    const before = signatures.get(signer);
    signatures.set(signer, { ...(isJsonObject(before) ? before : {}), [key]: signature });
  }
  return Object.fromEntries(signatures);
}
