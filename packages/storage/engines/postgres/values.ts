import type { SqlValue } from '../../sql.ts';
import { fromStoredText, toStoredText } from './nul-text.ts';

type Parse = (text: string) => SqlValue;

function toNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new RangeError(`${text} is no safe integer`);
  return value;
}

const parsers: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [20, toNumber], // int8
  [21, toNumber], // int2
  [23, toNumber], // int4
  [700, Number], // float4
  [701, Number], // float8
  [1700, toNumber], // numeric, which is what sum() of int8 gives
  [17, (text) => Uint8Array.fromHex(text.slice(2))], // bytea, as \\x and hexadecimal digits
  [25, fromStoredText], // text
  [1043, fromStoredText], // varchar
]);

export function parserFor(type: number, column: string): Parse {
  const parser = parsers.get(type);
  if (parser === undefined)
    throw new TypeError(`Column ${column} has type ${type}, which the two engines do not share`);
  return parser;
}

/** For pg's `bind`: text stays text, in the form that PostgreSQL can store; bytes stay bytes. */
export function toWire(value: unknown): string | Buffer | null {
  if (value === null) return value;
  if (typeof value === 'string') return toStoredText(value);
  if (typeof value === 'number') {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new RangeError(`${value} is no safe integer`);
    return String(value);
  }
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError(`A parameter is ${typeof value}`);
}
