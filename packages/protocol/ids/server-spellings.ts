import { splitServerName } from './server-name.ts';

/**
 * A server name in small letters and without a dot at its end: for whoever connects to a server, `EVIL.example.` is
 * `evil.example`, and it may give itself either name.
 */
export function plainSpelling(server: string): string {
  const { host, port } = splitServerName(server) ?? { host: server, port: undefined };
  const plain = host.toLowerCase().replace(/\.+$/, '');
  return port === undefined ? plain : `${plain}:${port}`;
}

/** The spellings under which an entry against somebody may name them: how it is written, and how it would be in plain letters. */
export function spellingsOf(userId: string): readonly string[] {
  const start = userId.indexOf(':') + 1;
  if (start === 0) return [userId];
  const server = userId.slice(start);
  const plain = plainSpelling(server);
  return plain === server ? [userId] : [userId, userId.slice(0, start) + plain];
}

/** The same, without a port, too: whoever has the host has all of its ports. */
export function spellingsOnAnyPort(userId: string): readonly string[] {
  const spellings = spellingsOf(userId);
  const plain = spellings.at(-1) ?? userId;
  const start = plain.indexOf(':') + 1;
  const { host, port } = splitServerName(plain.slice(start)) ?? {};
  return start === 0 || port === undefined ? spellings : [...spellings, `${plain.slice(0, start)}${host}`];
}
