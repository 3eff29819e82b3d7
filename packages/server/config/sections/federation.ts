import { serverName } from '../portico-types.ts';
import { boolean, integer, readablePath, text } from '../scalar-types.ts';
import { optional, section, setting } from '../setting.ts';
import { list, record } from '../structured-types.ts';

/** A key as `old_verify_keys` has it, with the moment in milliseconds since when it signs no more. */
const oldKey = record({ id: text, key: text, expired_ts: integer(0, Number.MAX_SAFE_INTEGER) }, {});

export const federation = section('Talking to other servers.', {
  enabled: setting(boolean, { default: 'true', help: 'Whether this server talks to other servers.' }),
  public_rooms: setting(boolean, {
    default: 'true',
    help: 'Whether other servers may see which rooms are published in the directory here.',
  }),
  device_names: setting(boolean, {
    default: 'false',
    help:
      'Whether other servers are told what people call their devices. Clients in use make up names that say which device and program ' +
      'somebody has. People of this server see the names all the same.',
  }),
  notaries: setting(list(serverName), {
    default: '[]',
    help: 'Servers that are asked for keys of others which cannot be reached. They are trusted to tell the truth about them.',
    example: '[matrix.org]',
  }),
  old_keys: setting(list(oldKey), {
    default: '[]',
    help: 'Signing keys that this server has had before, so that others can still check what it signed with them.',
    example: '[{ id: "ed25519:old", key: "the public key in Base64", expired_ts: 1700000000000 }]',
  }),
});

export const outbound = section(
  'Every connection the server opens: federation, push gateways, previews, identity servers, bridges.',
  {
    trusted_ca_file: optional(readablePath, {
      help: 'Further certificate authorities to trust, in PEM format.',
      example: 'ca.pem',
    }),
    allow_private_addresses: setting(boolean, {
      default: 'false',
      help: "Whether connections to private and loopback addresses are allowed: true for test networks. Bridges' own addresses always are.",
    }),
  },
);
