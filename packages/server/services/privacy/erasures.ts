import { isJsonObject, parseJson } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findErasure } from '@portico/storage/stores/privacy/erasures.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

export type Erasure = {
  readonly requested_at: number;
  /** Null while it is under way. */
  readonly finished_at: number | null;
  /** How much of what. */
  readonly erased: Readonly<Record<string, number>>;
};

export interface Erasures {
  /** Throws `not-found` where nobody asked for any. */
  find(userId: string): Promise<Erasure>;
}

export function createErasures(db: Reader): Erasures {
  return {
    async find(userId) {
      const row = await findErasure(db, userId);
      if (row === undefined) throw new MatrixError('not-found', { message: 'There was no erasure of this account.' });
      return { requested_at: row.requested_at, finished_at: row.finished_at, erased: readReport(row.report) };
    },
  };
}

/** The account of an erasure, as it is stored. */
export function readReport(text: string): Record<string, number> {
  const counts = parseJson(text);
  const entries = isJsonObject(counts) ? Object.entries(counts) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
