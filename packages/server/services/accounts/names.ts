import type { ServerName } from '@portico/protocol/ids/server-name.ts';
import { checkNewUserId } from '@portico/protocol/ids/user-id.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/** The user ID of a new account, or a refusal that says why the name will not do. Capitals are taken as small letters. */
export function newUserId(name: string, serverName: ServerName): string {
  const decision = checkNewUserId(toSmall(name), serverName);
  if (decision.kind === 'ok') return decision.userId;
  throw new MatrixError(decision.rule === 'user_id.too_long' ? 'user.name-too-long' : 'user.invalid-name');
}

/** A name for somebody who did not choose one. */
export function randomName(randomBytes: (count: number) => Uint8Array): string {
  return Array.from(randomBytes(12), (byte) => (byte % 32).toString(32)).join('');
}

/** Whom a login means: a whole user ID or the local part of one, in capitals too, which no user ID of this server has. */
export function userIdOf(user: string, serverName: string): string {
  if (!user.startsWith('@')) return `@${toSmall(user)}:${serverName}`;
  const [localpart = '', ...server] = user.split(':');
  return [toSmall(localpart), ...server].join(':');
}

/** Of letters that IDs may have only: others have small forms that look like those. */
function toSmall(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
