import { MatrixError } from '../errors/matrix-error.ts';
import type { Declaration, Sender } from './endpoint.ts';

/** Whether somebody whose account is locked or suspended may do this. */
export function checkStanding({ moderated }: Pick<Declaration, 'moderated'>, { standing }: Sender): void {
  if (standing === undefined) return;
  if (standing === 'locked' && moderated !== 'allowed-when-locked') {
    throw new MatrixError('user.locked', { fields: { soft_logout: true } });
  }
  if (standing === 'suspended' && moderated === 'refused-when-suspended') throw new MatrixError('user.suspended');
}
