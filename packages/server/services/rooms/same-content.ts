import { encodeCanonical, JsonError, type JsonObject } from '@portico/protocol';

/** Whether two events would say the same. What no event can say is said by none: whoever makes one of it refuses that. */
export function isSameContent(one: JsonObject, other: JsonObject): boolean {
  const text = textOf(one);
  return text !== undefined && text === textOf(other);
}

function textOf(content: JsonObject): string | undefined {
  try {
    return encodeCanonical(content, 'lenient');
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
