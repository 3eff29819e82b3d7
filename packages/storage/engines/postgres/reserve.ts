import { StorageError } from '../../errors.ts';
import type { Sql } from '../../sql.ts';
import { reserveBlock } from '../id-blocks.ts';
import type { Reserve } from '../id-blocks.ts';
import { answerInTime } from './answer-in-time.ts';
import { runBatch } from './batch.ts';
import { connectPostgres } from './client.ts';
import { sessionSetup } from './support.ts';

/** In milliseconds. */
const statementTimeout = 5000;
const grace = 2000;

/**
 * Reserves numbers on a connection for the moment: blocks of them are rarely needed, and a decision that all commits wait
 * for may be what needs one, so that it cannot come through the connection for writes.
 */
export function createReserve(url: string): Reserve {
  return async (sequence, count) => {
    const statement: Sql<unknown, never> = reserveBlock;
    try {
      const client = await connectPostgres({ url, name: 'portico numbers', statementTimeout, setup: sessionSetup });
      try {
        const step = { statement, params: [sequence, count], rows: true };
        const [result] = await answerInTime(client, statementTimeout + grace, () => runBatch(client, [step]));
        return Number(result?.rows[0]?.['first_id']);
      } finally {
        await client.end();
      }
    } catch (error) {
      throw new StorageError('unavailable', 'The database gave out no numbers', { cause: error });
    }
  };
}
