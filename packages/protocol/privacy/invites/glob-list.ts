import { isGlob, matchesGlob } from '../../glob.ts';
import { maxIdentifierBytes } from '../../ids/identifier.ts';
import { runSteps, stepSize } from '../../steps.ts';

/** Patterns of which one is to match. They may be many, come from anybody, and are rarely asked. */
export interface GlobList {
  /** The entry that matches a text, as it was written: an exact one if there is any, else the first. */
  findSteps(text: string): Generator<void, string | undefined, void>;
}

type Options = {
  /** Names of servers: upper and lower case are the same. */
  readonly ignoreCase: boolean;
};

/** Whatever is longer than an identifier can be, stars apart, matches none, and is left out. */
export function* globListSteps(entries: readonly string[], { ignoreCase }: Options): Generator<void, GlobList, void> {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const exact = new Map<string, string>();
  // Not compiled: that takes longer than to see that most of them do not match.
  const globs: { readonly pattern: string; readonly entry: string }[] = [];
  let done = 0;
  for (const entry of entries) {
    done += entry.length + 1;
    if (done >= stepSize) {
      done = 0;
      yield;
    }
    const pattern = fold(entry);
    if (!isGlob(pattern)) {
      if (!exact.has(pattern)) exact.set(pattern, entry);
    } else if (mayMatch(pattern)) globs.push({ pattern: pattern.replaceAll(/\*{2,}/g, '*'), entry });
  }
  return {
    *findSteps(text) {
      const subject = fold(text);
      const named = exact.get(subject);
      if (named !== undefined) return named;
      let looked = 0;
      for (const { pattern, entry } of globs) {
        if (matchesGlob(pattern, subject)) return entry;
        looked += pattern.length + 1;
        if (looked >= stepSize) {
          looked = 0;
          yield;
        }
      }
      return undefined;
    },
  };
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
