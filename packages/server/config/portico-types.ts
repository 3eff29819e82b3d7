import { isIP, isIPv6 } from 'node:net';
import { parseServerName } from '@portico/protocol/ids/server-name.ts';
import { findRoomVersion } from '@portico/protocol/room-versions/registry.ts';

import { scalarType } from './value-type.ts';

/** No longer than what leaves room for a user name in the 255 bytes of a user ID. */
export const serverName = scalarType('a server name such as example.org, without https://', (value) =>
  value.length <= 230 ? parseServerName(value) : undefined,
);

/** `path` is relative to the data folder until the configuration is complete. */
export type DatabaseLocation =
  | { readonly kind: 'sqlite'; readonly path: string; readonly url: string }
  | { readonly kind: 'postgres'; readonly url: string };

export const roomVersion = scalarType('a room version such as "12"', (value) => findRoomVersion(value)?.version);

export const databaseLocation = scalarType<DatabaseLocation>(
  'sqlite:PATH or postgres://user:password@host:5432/database',
  (value) => {
    if (value.startsWith('sqlite:')) {
      const path = value.slice('sqlite:'.length);
      return path === '' ? undefined : { kind: 'sqlite', path, url: value };
    }
    return /^postgres(?:ql)?:\/\//.test(value) && URL.canParse(value) ? { kind: 'postgres', url: value } : undefined;
  },
);

export const localpart = scalarType('a user name of a-z, 0-9 and . _ = - / +', (value) =>
  /^[a-z0-9._=/+-]{1,100}$/.test(value) ? value : undefined,
);

export const networkAddress = scalarType('an address or network such as 127.0.0.1 or 10.0.0.0/8', (value) => {
  const [address = '', bits, ...more] = value.split('/');
  if (isIP(address) === 0 || more.length > 0) return undefined;
  if (bits === undefined) return value;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv6(address) ? 128 : 32) ? value : undefined;
});
