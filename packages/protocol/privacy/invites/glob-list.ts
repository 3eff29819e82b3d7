import { isGlob, matchesGlob } from '../../glob.ts';

/** Patterns of which one is to match. They may be many, come from anybody, and are rarely asked. */
export interface GlobList {
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
  // Not compiled: that takes longer than to see that most of them do not match.
  const globs = entries.filter(isGlob);
  for (const entry of entries) {
    if (!isGlob(entry) && !exact.has(fold(entry))) exact.set(fold(entry), entry);
  }
  return {
    find(text) {
      const subject = fold(text);
      return exact.get(subject) ?? globs.find((pattern) => matchesGlob(fold(pattern), subject));
    },
  };
}
