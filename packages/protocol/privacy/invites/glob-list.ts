import { isGlob, matchesGlob } from '../../glob.ts';

/** Patterns of which one is to match. They may be many, come from anybody, and are rarely asked. */
export interface GlobList {
  readonly size: number;
  /** The entry that matches a text, as it was written: an exact one if there is any, else the first. */
  find(text: string): string | undefined;
}

type Options = {
  /** Names of servers: upper and lower case are the same. */
  readonly ignoreCase: boolean;
};

export function createGlobList(entries: readonly string[], { ignoreCase }: Options): GlobList {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const exact = new Map<string, string>();
  const globs = new Map<string, string>();
  for (const entry of entries) {
    const kind = isGlob(entry) ? globs : exact;
    const folded = fold(entry);
    if (!kind.has(folded)) kind.set(folded, entry);
  }
  return {
    size: exact.size + globs.size,
    find(text) {
      const subject = fold(text);
      const same = exact.get(subject);
      if (same !== undefined) return same;
      for (const [pattern, entry] of globs) {
        if (matchesGlob(pattern, subject)) return entry;
      }
      return undefined;
    },
  };
}
