import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Sender } from '../../endpoint.ts';

/** What a user keeps with the server is nobody else's business. */
export function refuseOthers(sender: Sender, userId: string): void {
  if (sender.userId !== userId) throw new MatrixError('user.not-yourself');
}
