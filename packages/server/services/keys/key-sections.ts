import type { PublicKeyRow, SignatureRow } from '@portico/storage/stores/devices/device-keys.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { render } from './signed-key.ts';

/** By user: which devices, or all of them if none is named. */
export type KeyQuery = { readonly [userId: string]: readonly string[] };

const maxUsers = 10_000;
const maxDevices = 20_000;

/** What a query asks for, each device once, a `*` standing for all devices. Throws `request.too-large`. */
export function wantedDevices(query: KeyQuery): readonly (readonly [userId: string, deviceId: string])[] {
  const wanted: (readonly [userId: string, deviceId: string])[] = [];
  let users = 0;
  for (const user in query) {
    const devices = query[user] ?? [];
    for (const device of new Set(devices.length === 0 ? ['*'] : devices)) wanted.push([user, device]);
    if (++users > maxUsers || wanted.length > maxDevices) throw new MatrixError('request.too-large');
  }
  return wanted;
}

/** How much is read, and rendered, before others have their turn. */
const pairsAtOnce = 100;

/** What is wanted, in portions. */
export function* portionsOf<T>(wanted: readonly T[], size = pairsAtOnce): Generator<readonly T[], void, void> {
  for (let at = 0; at < wanted.length; at += size) yield wanted.slice(at, at + size);
}

/** Keys as responses have them, put together from portions. */
export interface KeySections {
  /** Everybody who was asked for is in it, whether they have keys or not. */
  add(users: Iterable<string>, keys: readonly PublicKeyRow[], signatures: readonly SignatureRow[]): void;
  /** The devices of everybody, as JSON text. */
  readonly devices: () => string;
  /** Cross-signing keys of one usage by user, as JSON text. */
  readonly section: (usage: string) => string;
}

export function createKeySections(): KeySections {
  // Members, as JSON text.
  const devices = new Map<string, string>();
  const sections = new Map<string, string>();
  const append = (to: Map<string, string>, key: string, name: string, value: string): void => {
    const before = to.get(key) ?? '';
    to.set(key, `${before}${before === '' ? '' : ','}${JSON.stringify(name)}:${value}`);
  };
  return {
    add(users, keys, signatures) {
      const signed = Map.groupBy(signatures, ({ user_id: user }) => user);
      for (const user of users) if (!devices.has(user)) devices.set(user, '');
      for (const row of keys) {
        const text = render(row, signed.get(row.user_id));
        if (row.kind === 'device') append(devices, row.user_id, row.id, text);
        else append(sections, row.kind, row.user_id, text);
      }
    },
    devices() {
      let text = '';
      for (const [user, own] of devices) text += `${text === '' ? '' : ','}${JSON.stringify(user)}:{${own}}`;
      return `{${text}}`;
    },
    section: (usage) => `{${sections.get(usage) ?? ''}}`,
  };
}

/** An object of members that are JSON text already. */
export function objectText(members: ReadonlyMap<string, string>): string {
  let text = '';
  for (const [name, value] of members) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${value}`;
  return `{${text}}`;
}
