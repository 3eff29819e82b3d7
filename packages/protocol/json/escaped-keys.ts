/**
 * Works around a fault of the engine's `JSON.parse` (V8 of Node.js 26.10): where it has seen an object with a key of one
 * backslash, it takes a later key of one escape sequence, such as "\n", at the same place for that backslash. So such keys
 * are made longer before parsing, and their own selves again after it.
 */
const oneEscape = /"(\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))"(?=\s*:)/g;

/** Stands behind a lengthened key. U+0000 cannot be in a JSON text unescaped. */
const mark = '\\u0000portico';
const parsedMark = '\0portico';

/** The text with such keys lengthened, or `undefined` if it has none. */
export function lengthenEscapedKeys(text: string): string | undefined {
  // Cheap for what nearly all texts are: without a single such key.
  if (!text.includes('"\\') || text.search(oneEscape) === -1) return undefined;
  return text.replace(oneEscape, `"$1${mark}"`);
}

/** A key as it was before it was lengthened. */
export function shortenKey(key: string): string {
  return key.endsWith(parsedMark) ? key.slice(0, -parsedMark.length) : key;
}

/** Makes the keys of a parsed value what they were, in place. Of duplicate keys the last one counts. */
export function shortenEscapedKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const object = value as Record<string, unknown>;
  const entries = Object.entries(object);
  for (const [, child] of entries) shortenEscapedKeys(child);
  if (Array.isArray(value) || !entries.some(([key]) => key.endsWith(parsedMark))) return;
  for (const [key] of entries) delete object[key];
  for (const [key, child] of entries) {
    Object.defineProperty(object, shortenKey(key), {
      value: child,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}
