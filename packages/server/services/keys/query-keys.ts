import { isJsonObject, parseUserId, serverNameOf, type JsonObject, type JsonValue } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { queryKeys, type PublicKeyRow, type SignatureRow } from '@portico/storage/stores/device-keys.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/** By user: which devices, or all of them if none is named. */
export type KeyQuery = { readonly [userId: string]: readonly string[] };

/** The response as JSON text. */
export type QueryKeys = (viewer: string, query: KeyQuery) => Promise<string>;

const maxUsers = 10_000;
const maxDevices = 20_000;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery} */
export function createQueryKeys({
  db,
  isLocal,
}: {
  readonly db: Reader;
  readonly isLocal: (userId: string) => boolean;
}): QueryKeys {
  return async (viewer, query) => {
    const { local, failures } = splitUsers(Object.keys(query), isLocal);
    const wanted = local.flatMap((user) => {
      const devices = query[user] ?? [];
      return (devices.length === 0 ? ['*'] : devices).map((device) => [user, device] as const);
    });
    if (local.length > maxUsers || wanted.length > maxDevices) throw new MatrixError('request.too-large');
    const { keys, signatures } = await queryKeys(db, wanted, viewer);
    const signed = Map.groupBy(signatures, ({ user_id: user }) => user);
    const devices = new Map<string, Map<string, string>>(local.map((user) => [user, new Map<string, string>()]));
    const sections = new Map<string, Map<string, string>>();
    for (const row of keys) {
      const text = render(row, signed.get(row.user_id));
      if (row.kind === 'device') devices.get(row.user_id)?.set(row.id, text);
      else sections.set(row.kind, (sections.get(row.kind) ?? new Map<string, string>()).set(row.user_id, text));
    }
    const section = (kind: string) => objectText(sections.get(kind) ?? new Map());
    const deviceText = objectText(new Map([...devices].map(([user, own]) => [user, objectText(own)])));
    return (
      `{"device_keys":${deviceText},"master_keys":${section('master')},` +
      `"self_signing_keys":${section('self_signing')},"user_signing_keys":${section('user_signing')},` +
      `"failures":${JSON.stringify(failures)}}`
    );
  };
}

export type Failures = { readonly [server: string]: JsonObject };

/** The people of this server, and the servers of the others, which cannot be asked. */
export function splitUsers(
  users: readonly string[],
  isLocal: (userId: string) => boolean,
): { readonly local: readonly string[]; readonly failures: Failures } {
  const local: string[] = [];
  const failures: { [server: string]: JsonObject } = {};
  for (const user of users) {
    if (isLocal(user)) local.push(user);
    else {
      const server = parseUserId(user) && serverNameOf(user);
      if (server !== undefined) failures[server] = unreachable;
    }
  }
  return { local, failures };
}

const unreachable = { errcode: 'M_UNAVAILABLE', error: 'The server could not be reached.' };

function objectText(members: ReadonlyMap<string, string>): string {
  let text = '';
  for (const [name, value] of members) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${value}`;
  return `{${text}}`;
}

/** The stored object with what was signed later, and the device's name, in its text. */
export function render(row: PublicKeyRow, signatures: readonly SignatureRow[] | undefined): string {
  const unsigned =
    row.kind === 'device'
      ? `"unsigned":{${row.display_name === null ? '' : `"device_display_name":${JSON.stringify(row.display_name)}`}}`
      : undefined;
  let text = row.keys;
  if (signatures !== undefined) {
    const object = JSON.parse(row.keys) as JsonObject;
    const added = signatures.filter(({ target }) => target === targetOf(row, object));
    if (added.length > 0) text = JSON.stringify({ ...object, signatures: merge(object['signatures'], added) });
  }
  return unsigned === undefined ? text : `${text.slice(0, -1)},${unsigned}}`;
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
