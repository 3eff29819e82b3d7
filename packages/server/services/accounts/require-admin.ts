import { MatrixError } from '../../errors/matrix-error.ts';
import type { Sender } from './sender.ts';

/** Throws `user.not-admin`, or `oauth.no-admin-scope` where it is the app of an administrator that may not. */
export function requireAdmin({ isAdmin, lacksAdminScope }: Sender): void {
  if (!isAdmin) throw new MatrixError(lacksAdminScope === true ? 'oauth.no-admin-scope' : 'user.not-admin');
}
