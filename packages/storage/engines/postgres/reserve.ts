import { StorageError } from '../../errors.ts';
import type { Sql } from '../../sql.ts';
import { reserveBlock } from '../id-blocks.ts';
import type { Reserve } from '../id-blocks.ts';
import { runBatch } from './batch.ts';
import { connectPostgres } from './client.ts';
import { sessionSetup } from './support.ts';

const statementTimeout = 5000;

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
        const [result] = await runBatch(client, [{ statement, params: [sequence, count], rows: true }]);
        return Number(result?.rows[0]?.['first_id']);
      } finally {
        await client.end();
      }
    } catch (error) {
      throw new StorageError('unavailable', 'The database gave out no numbers', { cause: error });
    }
  };
}
