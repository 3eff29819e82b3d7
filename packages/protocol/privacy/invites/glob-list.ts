import { type GlobIndex, globIndexSteps } from '../../glob-index.ts';
import { isGlob } from '../../glob.ts';
import { maxIdentifierBytes } from '../../ids/identifier.ts';
import { runSteps, stepSize } from '../../steps.ts';

/** Patterns of which one is to match. They may be many, and come from anybody. */
export interface GlobList {
  /**
   * The entry that matches a text, as it was written: an exact one if there is any, else the first. Does as much whether or
   * not there is one. Yields between steps.
   */
  findSteps(text: string): Generator<void, string | undefined, void>;
}

type Options = {
  /** Names of servers: upper and lower case are the same. */
  readonly ignoreCase: boolean;
};

/** Whatever is longer than an identifier can be, stars apart, matches none, and is left out. Yields between steps. */
export function* globListSteps(entries: readonly string[], { ignoreCase }: Options): Generator<void, GlobList, void> {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const exact = new Map<string, string>();
  const globs = new Map<string, string>();
  let done = 0;
  for (const entry of entries) {
    done += entry.length + 1;
    if (done >= stepSize) {
      done = 0;
      yield;
    }
    const folded = fold(entry);
    if (!isGlob(folded)) addFirst(exact, folded, entry);
    else if (mayMatch(folded)) addFirst(globs, folded.replaceAll(/\*{2,}/g, '*'), entry);
  }
  const index: GlobIndex = yield* globIndexSteps([...globs.keys()]);
  return {
    *findSteps(text) {
      const subject = fold(text);
      const place = yield* index.findSteps(subject);
      return exact.get(subject) ?? (place === undefined ? undefined : globs.get(index.all[place] ?? ''));
    },
  };
}

function addFirst(entries: Map<string, string>, pattern: string, entry: string): void {
  if (!entries.has(pattern)) entries.set(pattern, entry);
}

/** The same at once, for lists that are short. */
export function createGlobList(
  entries: readonly string[],
  options: Options,
): { readonly find: (text: string) => string | undefined } {
  const list = runSteps(globListSteps(entries, options));
  return { find: (text) => runSteps(list.findSteps(text)) };
}

function mayMatch(pattern: string): boolean {
  return pattern.length <= maxIdentifierBytes || pattern.replaceAll('*', '').length <= maxIdentifierBytes;
}
