import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { SqlValue } from '../../sql.ts';

const small: readonly bigint[] = Array.from({ length: 256 }, (_, index) => BigInt(index));

/**
 * node:sqlite binds every number as a float, which shows wherever no column's affinity corrects it (`cast($1 as text)`,
 * `$1 / 2`, `$1 * 1048576`). Whole numbers are bound as integers, as PostgreSQL has them.
 */
export function toInput(value: SqlValue): SQLInputValue {
  if (typeof value !== 'number' || !Number.isInteger(value)) return value;
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no safe integer`);
  return small[value] ?? BigInt(value);
}

export function toInputs(params: readonly unknown[]): SQLInputValue[] {
  return params.map((value) => toInput(value as SqlValue));
}

/** node:sqlite's own row objects take twice the time and have no prototype. */
export function toRow(columns: readonly string[], values: readonly SQLOutputValue[]): Record<string, SQLOutputValue> {
  const row: Record<string, SQLOutputValue> = {};
  for (let index = 0; index < columns.length; index++) {
    row[columns[index] as string] = values[index] as SQLOutputValue;
  }
  return row;
}
