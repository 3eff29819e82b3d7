import { JsonError } from './json-error.ts';

/**
 * Numbers whose spelling a JavaScript number does not carry: `1.0`, `1e3`, `-0`, 2^63 − 1.
 *
 * > Events in room versions 1, 2, 3, 4, and 5 might not be fully compliant with these restrictions.
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#canonical-json}
 *
 * Their hashes and signatures cover the number as it was sent, so re-encoding a rounded one would break them; strict
 * room versions refuse them. They are rare, so the values stay plain numbers and this table holds, per object or array,
 * the canonical text of the odd ones.
 */
const exactNumbers = new WeakMap<object, Map<string, string>>();

export function rememberExactNumber(holder: object, key: string, canonical: string): void {
  const known = exactNumbers.get(holder);
  if (known === undefined) exactNumbers.set(holder, new Map([[key, canonical]]));
  else known.set(key, canonical);
}

export function forgetExactNumber(holder: object, key: string): void {
  exactNumbers.get(holder)?.delete(key);
}

/** The canonical texts of the odd numbers directly inside an object or array, by key or index. */
export function exactNumbersOf(holder: object): ReadonlyMap<string, string> | undefined {
  return exactNumbers.get(holder);
}

const integerLiteral = /^-?[0-9]+$/;

/**
 * The canonical spelling of a number literal for room versions that are not strict. Integers keep all their digits. An
 * exponent that gives an integer is written out, as in the spec's example (`1e10` is `10000000000`); any other float is
 * written as the spec's reference code writes it, which is Python's `repr`.
 */
export function canonicalNumber(literal: string): string {
  if (integerLiteral.test(literal)) return literal === '-0' ? '0' : literal;
  const value = Number(literal);
  if (!literal.includes('.') && Number.isSafeInteger(value)) return String(value);
  return canonicalFloat(value);
}

/** A float as Python's `repr` spells it: shortest digits, scientific below 1e-4 and from 1e16. */
export function canonicalFloat(value: number): string {
  if (!Number.isFinite(value)) throw new JsonError('integer-range');
  const [mantissa = '', exponentText = '0'] = Math.abs(value).toExponential().split('e');
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const digits = mantissa.replace('.', '');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const power = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}
