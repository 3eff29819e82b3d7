import type { JsonValue } from '@portico/protocol';

/**
 * The JSON text of a value, or `undefined` if it has more than so many characters: which is found without writing it, for the
 * longest that anybody can send would take half a second.
 */
export function jsonWithin(value: JsonValue, most: number): string | undefined {
  if (leastLength(value, most) > most) return undefined;
  const text = JSON.stringify(value);
  return text.length > most ? undefined : text;
}

/** Below the length of a value's text, or up to it; looked at no further than `most`. */
function leastLength(value: JsonValue, most: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 1;
  let length = 2;
  if (Array.isArray(value)) {
    for (const element of value as readonly JsonValue[]) {
      length += 1 + leastLength(element, most - length);
      if (length > most + 1) break;
    }
    return length - (value.length > 0 ? 1 : 0);
  }
  let members = 0;
  for (const name in value as object) {
    members++;
    length +=
      4 + name.length + leastLength((value as { readonly [key: string]: JsonValue })[name] as JsonValue, most - length);
    if (length > most + 1) break;
  }
  return length - (members > 0 ? 1 : 0);
}
