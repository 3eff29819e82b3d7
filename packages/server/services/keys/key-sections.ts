import type { PublicKeyRow, SignatureRow } from '@portico/storage/stores/device-keys.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { render } from './signed-key.ts';

/** By user: which devices, or all of them if none is named. */
export type KeyQuery = { readonly [userId: string]: readonly string[] };

const maxUsers = 10_000;
const maxDevices = 20_000;

/** What a query asks for, each device once, a `*` standing for all devices. Throws `request.too-large`. */
export function wantedDevices(query: KeyQuery): readonly (readonly [userId: string, deviceId: string])[] {
  const users = Object.entries(query);
  const wanted = users.flatMap(([user, devices]) =>
    [...new Set(devices.length === 0 ? ['*'] : devices)].map((device) => [user, device] as const),
  );
  if (users.length > maxUsers || wanted.length > maxDevices) throw new MatrixError('request.too-large');
  return wanted;
}

export type KeySections = {
  /** By user: the devices as JSON text. */
  readonly devices: ReadonlyMap<string, string>;
  /** Cross-signing keys of one usage by user, as JSON text. */
  readonly section: (usage: string) => string;
};

/** Keys as responses have them. Everybody who was asked for is in it, whether they have keys or not. */
export function keySections(
  users: readonly string[],
  keys: readonly PublicKeyRow[],
  signatures: readonly SignatureRow[],
): KeySections {
  const signed = Map.groupBy(signatures, ({ user_id: user }) => user);
  const devices = new Map<string, Map<string, string>>(users.map((user) => [user, new Map<string, string>()]));
  const sections = new Map<string, Map<string, string>>();
  for (const row of keys) {
    const text = render(row, signed.get(row.user_id));
    if (row.kind === 'device') devices.get(row.user_id)?.set(row.id, text);
    else sections.set(row.kind, (sections.get(row.kind) ?? new Map<string, string>()).set(row.user_id, text));
  }
  return {
    devices: new Map([...devices].map(([user, own]) => [user, objectText(own)])),
    section: (usage) => objectText(sections.get(usage) ?? new Map()),
  };
}

/** An object of members that are JSON text already. */
export function objectText(members: ReadonlyMap<string, string>): string {
  let text = '';
  for (const [name, value] of members) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${value}`;
  return `{${text}}`;
}
