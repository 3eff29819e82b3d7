import type { ErrorReason } from '../../../errors/table.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';

/** Reads what a client has sent, and says with a code of OAuth 2.0 what is wrong with it: its programs know no others. */
export async function inItsWords<T>(reason: ErrorReason, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    throw new MatrixError(reason, { message: error.message });
  }
}
