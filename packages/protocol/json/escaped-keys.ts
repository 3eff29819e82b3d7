/**
 * Works around a fault of the engine's `JSON.parse` (V8 of Node.js 26.10): where it has seen an object with a key of one
 * backslash, it takes a later key of one escape sequence, such as "\n", at the same place for that backslash. So such keys
 * are spelled otherwise before parsing: by the character itself where JSON allows it; else they are made longer, and their
 * own selves again after it.
 *
 * A key is longer by a U+0000 at its end. Keys that end in one anyway get another, so that what is taken away is never a
 * key's own. Keys that are the same stay the same, so that the parser still sees which of them is the last.
 */
const oneEscape = /"(\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))"(?=\s*:)/g;
const oneEscapeOrFinalNul = new RegExp(String.raw`${oneEscape.source}|\\u0000"(?=\s*:)`, 'g');

/** The text with such keys spelled otherwise, or `undefined` if it has none. */
export function lengthenEscapedKeys(text: string): string | undefined {
  // Cheap for what nearly all texts are: without a single such key.
  if (!text.includes('"\\') || text.search(oneEscape) === -1) return undefined;
  return text.replace(oneEscapeOrFinalNul, (key, escape: string | undefined) => {
    const character = escape === undefined ? undefined : (JSON.parse(`"${escape}"`) as string);
    if (character !== undefined && !mustBeEscaped(character)) return `"${character}"`;
    return String.raw`${key.slice(0, -1)}\u0000"`;
  });
}

function mustBeEscaped(character: string): boolean {
  return character < ' ' || character === '"' || character === '\\';
}

/** A key as it was before it was lengthened. */
export function shortenKey(key: string): string {
  return key.endsWith('\0') ? key.slice(0, -1) : key;
}

/** Makes the keys of a parsed value what they were, in place. */
export function shortenEscapedKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const object = value as Record<string, unknown>;
  const entries = Object.entries(object);
  for (const [, child] of entries) shortenEscapedKeys(child);
  if (Array.isArray(value) || !entries.some(([key]) => key.endsWith('\0'))) return;
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
