import type { TObject, TSchema } from 'typebox';
import { MatrixError } from '../errors/matrix-error.ts';
import { unsaidIfEmpty } from '../services/unsaid.ts';

/** Repeated parameters keep all their values, in order. */
export type RawQuery = ReadonlyMap<string, readonly string[]>;

const none: RawQuery = new Map();

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw new MatrixError('request.invalid-param', { message: 'The query string has a bad percent escape.' });
  }
}

export function parseQueryString(text: string): RawQuery {
  if (text === '') return none;
  const query = new Map<string, string[]>();
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? '' : decode(part.slice(equals + 1));
    const values = query.get(name);
    if (values === undefined) query.set(name, [value]);
    else values.push(value);
  }
  return query;
}

/** Not a value of any schema's type, so that validation names the parameter. */
const unusable = Symbol('unusable');

type Coerce = (values: readonly string[]) => unknown;

const first: Coerce = (values) => values[0];
const toNumber: Coerce = ([text = '']) => (/^-?\d{1,16}$/.test(text) ? Number(text) : unusable);
const toBoolean: Coerce = ([text]) => (text === 'true' ? true : text === 'false' ? false : unusable);

function coercion(schema: TSchema & { type?: unknown }): Coerce {
  switch (schema.type) {
    case 'integer':
      return toNumber;
    case 'boolean':
      return toBoolean;
    case 'array':
      return (values) => values;
    default:
      return first;
  }
}

/** Of requests that application services make: whom they act as is nothing that an endpoint is told. */
const notForEndpoints: ReadonlySet<string> = new Set([
  'access_token',
  'user_id',
  'device_id',
  'org.matrix.msc3202.device_id',
]);

function readAll(query: RawQuery): Record<string, unknown> {
  return Object.fromEntries(
    [...query].filter(([name]) => !notForEndpoints.has(name)).map(([name, [value]]) => [name, value]),
  );
}

/**
 * Reads the parameters that a schema declares, as the types it declares. Others are ignored, unless it says what they are;
 * so are empty ones where that is as good as none.
 */
export function queryReader(schema: TObject): (query: RawQuery) => Record<string, unknown> {
  if (typeof (schema as { additionalProperties?: unknown }).additionalProperties === 'object') return readAll;
  const unsaid = unsaidIfEmpty(schema);
  const coercions = Object.entries(schema.properties).map(([name, property]) => [name, coercion(property)] as const);
  return (query) => {
    const result: Record<string, unknown> = {};
    if (query.size === 0) return result;
    for (const [name, coerce] of coercions) {
      const values = query.get(name);
      if (values !== undefined && (values[0] !== '' || !unsaid.has(name))) result[name] = coerce(values);
    }
    return result;
  };
}
