import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { reportWrong, scalarType } from './value-type.ts';
import type { ValueType } from './value-type.ts';

export const text = scalarType('text', (value) => (value === '' ? undefined : value));

export const boolean = scalarType('true or false', (value) => {
  if (value === 'true') return true;
  return value === 'false' ? false : undefined;
});

export function integer(least: number, most: number): ValueType<number> {
  return scalarType(`a whole number from ${least} to ${most}`, (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    return number >= least && number <= most ? number : undefined;
  });
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): ValueType<Choice> {
  return scalarType(`one of ${choices.join(', ')}`, (value) => choices.find((choice) => choice === value));
}

const unitBytes = new Map([
  ['', 1],
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
]);

/** A number of bytes: `19MiB` is 19 × 1024 × 1024, `100MB` is 100,000,000, a bare number is bytes. */
export function size(least: string, most: string): ValueType<number> {
  const [from, to] = [parseSize(least) ?? 0, parseSize(most) ?? Number.MAX_SAFE_INTEGER];
  return scalarType(`a size such as 100MB or 19MiB, from ${least} to ${most}`, (value) => {
    const bytes = parseSize(value);
    return bytes !== undefined && bytes >= from && bytes <= to ? bytes : undefined;
  });
}

function parseSize(value: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,3})?) ?([A-Za-z]{0,3})$/.exec(value);
  const unit = unitBytes.get(match?.[2] ?? '');
  if (!match || unit === undefined) return undefined;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** An absolute http or https address without a query, kept without its last slash. */
export const webAddress = scalarType('an address such as https://example.org', (value) => {
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) return undefined;
  return url.href.replace(/\/+$/, '');
});

/** A path, relative to the folder of the configuration file. */
export const path: ValueType<string> = {
  description: 'a path',
  structured: false,
  parse(raw, context) {
    const value = text.parse(raw, context);
    return value === undefined ? undefined : resolve(context.base, value);
  },
};

/** A file (or folder) that must be there and readable when the program starts. */
export const readablePath: ValueType<string> = {
  description: 'the path of a file that can be read',
  structured: false,
  parse(raw, context) {
    const value = path.parse(raw, context);
    if (value === undefined) return undefined;
    try {
      accessSync(value, constants.R_OK);
      return value;
    } catch {
      return reportWrong(raw, context, `the path of a file that can be read (looked for ${value})`);
    }
  },
};
