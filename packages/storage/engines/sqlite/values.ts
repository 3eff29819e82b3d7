import { compileFunction } from 'node:vm';
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

export type MakeRow = (values: readonly SQLOutputValue[]) => Record<string, SQLOutputValue>;

/** A statement that has brought so many rows gets code of its own for them; a small one is not worth compiling any. */
const worthCompiling = 50;

/** Properties that are written under names known only at run time cost more than the read itself. */
export function createMakeRow(columns: readonly string[]): MakeRow {
  let compiled: MakeRow | undefined;
  let made = 0;
  return (values) => {
    if (compiled !== undefined) return compiled(values);
    if (++made === worthCompiling) compiled = compile(columns);
    return toRow(columns, values);
  };
}

/** The names are those of our own statements, and written as the strings that they are. */
function compile(columns: readonly string[]): MakeRow {
  const fields = columns.map((name, index) => `${JSON.stringify(name)}: values[${index}]`);
  return compileFunction(`return { ${fields.join(', ')} };`, ['values']) as MakeRow;
}
