import type { TSchema } from 'typebox';

/**
 * No NUL, behind which SQLite counts no characters, and no lone surrogate, which has no UTF-8 form: what is stored would not be
 * what was sent. Declared strings become columns and keys; inside events and other free objects both stay legal, since
 * those are stored as JSON text.
 */
const storableText = '^[^\\u0000\\ud800-\\udfff]*$';

/** How TypeBox names the members of a record of strings: a dot does not stand for a line break. */
const anyName = '^.*$';

/**
 * The same schema, with that asked of every string that it declares, and of the names in every record. Integers are those that a
 * number holds exactly: what has more digits than that is no longer what was sent, and no column takes it.
 */
export function withStorable(schema: TSchema): TSchema {
  return restrict(schema) as TSchema;
}

function restrict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(restrict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, restrict(value)]));
  if (copy['type'] === 'string' && !('const' in copy) && !('pattern' in copy)) copy['pattern'] = storableText;
  if (copy['type'] === 'integer') {
    copy['minimum'] ??= Number.MIN_SAFE_INTEGER;
    copy['maximum'] ??= Number.MAX_SAFE_INTEGER;
  }
  const names = copy['patternProperties'] as Record<string, unknown> | undefined;
  if (names !== undefined && anyName in names) {
    copy['patternProperties'] = { [storableText]: names[anyName] };
    copy['additionalProperties'] = false;
  }
  return copy;
}
