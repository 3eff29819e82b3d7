import { isJsonObject, JsonError, parseJson, type JsonObject } from '@portico/protocol';
import { defaultFilter, parseFilter, type Filter } from '@portico/protocol/sync-filter/filter.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { createSmallCache } from '../reading/small-cache.ts';

/** A filter, and a number that equal filters share. */
export type KnownFilter = { readonly filter: Filter; readonly shape: number };

export interface SyncFilters {
  /** The filter of a request: JSON if it begins with a brace, else the ID of a stored one. */
  find(userId: string, parameter: string | undefined): Promise<KnownFilter>;
}

/** Of the service that stores filters. Throws a `MatrixError` for an unknown ID. */
export type FilterSource = { get(userId: string, filterId: string): Promise<string> };

const maxFilters = 2000;

export function createSyncFilters(stored: FilterSource): SyncFilters {
  const byText = createSmallCache<string, KnownFilter>(maxFilters);
  // A stored filter never changes.
  const byId = createSmallCache<string, KnownFilter>(maxFilters * 5);
  let shapes = 0;
  const none: KnownFilter = { filter: defaultFilter, shape: shapes };

  function parse(text: string): KnownFilter {
    const parsed = parseFilter(parseFilterText(text));
    if (parsed.problem !== undefined) {
      throw new MatrixError('request.invalid-param', { message: `The filter is not valid: ${parsed.problem}.` });
    }
    return { filter: parsed.filter, shape: ++shapes };
  }

  function ofText(text: string): KnownFilter {
    let known = byText.get(text);
    if (known === undefined) {
      known = parse(text);
      byText.set(text, known);
    }
    return known;
  }

  return {
    async find(userId, parameter) {
      if (parameter === undefined || parameter === '') return none;
      if (parameter.startsWith('{')) return ofText(parameter);
      const key = `${parameter} ${userId}`;
      let known = byId.get(key);
      if (known === undefined) {
        known = ofText(await getStored(stored, userId, parameter));
        byId.set(key, known);
      }
      return known;
    },
  };
}

async function getStored(stored: FilterSource, userId: string, filterId: string): Promise<string> {
  try {
    return await stored.get(userId, filterId);
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    throw new MatrixError('request.invalid-param', { message: 'There is no such filter.' });
  }
}

/** Throws `request.invalid-param`. */
export function parseFilterText(text: string): JsonObject {
  try {
    const value = parseJson(text);
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  throw new MatrixError('request.invalid-param', { message: 'The filter is not a JSON object.' });
}
