import { exactNumbersOf, rememberExactNumber } from './exact-numbers.ts';
import type { JsonValue } from './value.ts';

/** An object without a prototype, in the representation that the engine reads and writes fastest. */
export function emptyJsonObject(): { [key: string]: JsonValue } {
  return Object.setPrototypeOf({}, null) as { [key: string]: JsonValue };
}

/** A JSON object, or a type that names some of its fields as optional. */
export type JsonFields = { readonly [key: string]: JsonValue | undefined };

/** A shallow copy with only those keys that `keep` says, exact numbers included. */
export function filterKeys(source: JsonFields, keep: (key: string) => boolean): { [key: string]: JsonValue } {
  const copy = emptyJsonObject();
  const exact = exactNumbersOf(source);
  for (const key of Object.keys(source)) {
    if (!keep(key)) continue;
    copy[key] = source[key] as JsonValue;
    const canonical = exact?.get(key);
    if (canonical !== undefined) rememberExactNumber(copy, key, canonical);
  }
  return copy;
}
