/** Where `*` stands for any sequence of characters, and everything else for itself. */
export type Glob = { readonly parts: readonly string[] };

export function parseGlob(pattern: string): Glob {
  return { parts: pattern.split('*') };
}

/** Looks for each part once, from left to right: a pattern full of stars costs no more than its length. */
export function matchesGlob({ parts }: Glob, text: string): boolean {
  const first = parts[0] ?? '';
  if (parts.length === 1) return text === first;
  const last = parts[parts.length - 1] ?? '';
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  for (let index = 1; index < parts.length - 1; index++) {
    const part = parts[index] ?? '';
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}
