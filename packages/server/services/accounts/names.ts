import type { ServerName } from '@portico/protocol/ids/server-name.ts';
import { checkNewUserId } from '@portico/protocol/ids/user-id.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/** The user ID of a new account, or a refusal that says why the name will not do. */
export function newUserId(name: string, serverName: ServerName): string {
  const decision = checkNewUserId(name, serverName);
  if (decision.kind === 'ok') return decision.userId;
  throw new MatrixError(decision.rule === 'user_id.too_long' ? 'user.name-too-long' : 'user.invalid-name');
}

/** A name for somebody who did not choose one. */
export function randomName(randomBytes: (count: number) => Uint8Array): string {
  return Array.from(randomBytes(12), (byte) => (byte % 32).toString(32)).join('');
}

/** Whom a login means: a whole user ID or the local part of one. */
export function userIdOf(user: string, serverName: string): string {
  return user.startsWith('@') ? user : `@${user}:${serverName}`;
}
