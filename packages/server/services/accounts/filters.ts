import { hash } from 'node:crypto';
import type { JsonObject } from '@portico/protocol';
import { parseFilter } from '@portico/protocol/sync-filter/filter.ts';
import { createWriteSet, type Database } from '@portico/storage';
import { addFilter, findFilter, findFilterId } from '@portico/storage/stores/accounts/accounts-filters.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

export interface Filters {
  create(userId: string, definition: JsonObject): Promise<string>;
  /** The filter as JSON text. Throws `filter.not-found`. */
  get(userId: string, filterId: string): Promise<string>;
}

type Dependencies = { readonly db: Database; readonly maxPerUser?: number };

const maxDefinitionBytes = 64 * 1024;
const filterIdFormat = /^[1-9][0-9]{0,14}$/;

/** A filter never changes; who makes too many loses the oldest. */
export function createFilters({ db, maxPerUser = 200 }: Dependencies): Filters {
  return {
    async create(userId, definition) {
      const { problem } = parseFilter(definition);
      if (problem !== undefined) {
        throw new MatrixError('request.bad-json', { message: `The filter is not valid: ${problem}.` });
      }
      const text = JSON.stringify(definition);
      if (Buffer.byteLength(text) > maxDefinitionBytes) throw new MatrixError('request.too-large');
      const definitionHash = hash('sha256', text, 'base64url');
      const known = await findFilterId(db, userId, definitionHash);
      if (known !== undefined) return String(known);
      const set = createWriteSet();
      addFilter(set, userId, { definitionHash, definition: text }, maxPerUser);
      const { returned } = await db.commit(set);
      const [row] = returned[0] as readonly { filter_id: number }[];
      if (row === undefined) throw new Error('A stored filter has no ID');
      return String(row.filter_id);
    },
    async get(userId, filterId) {
      const text = filterIdFormat.test(filterId) ? await findFilter(db, userId, Number(filterId)) : undefined;
      if (text === undefined) throw new MatrixError('filter.not-found');
      return text;
    },
  };
}
