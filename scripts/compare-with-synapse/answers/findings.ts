import type { Difference } from './differences.ts';
import type { Json } from './json.ts';
import { reasonFor } from './known-differences.ts';

/** What came out of a comparison. */
export interface Findings {
  /** Those that are neither known nor told already. */
  newOf(what: string, differences: readonly Difference[]): readonly Difference[];
  /** Prints those that are new, and counts those that are known. */
  tell(title: string, what: string, differences: readonly Difference[]): void;
  readonly unknown: number;
  /** How often there was which reason. */
  readonly known: ReadonlyMap<string, number>;
}

/** `printKnown`: where to print those that are known, too. */
export function createFindings(print: (line: string) => void, printKnown?: (line: string) => void): Findings {
  const told = new Set<string>();
  const known = new Map<string, number>();
  let unknown = 0;
  // It may be there in what several devices know, a moment later.
  const keyOf = (what: string, difference: Difference): string =>
    `${difference.where === '' ? what : ''} ${JSON.stringify(difference).replaceAll(/"age":\d+/g, '')}`;

  function newOf(what: string, differences: readonly Difference[]): readonly Difference[] {
    return differences.filter(
      (difference) => !told.has(keyOf(what, difference)) && reasonFor(what, difference) === undefined,
    );
  }

  return {
    newOf,
    tell(title, what, differences) {
      for (const difference of differences) {
        const reason = reasonFor(what, difference);
        if (reason === undefined) continue;
        known.set(reason, (known.get(reason) ?? 0) + 1);
        printKnown?.(`known, ${title}: ${reason}\n${linesOf(difference)}`);
      }
      const fresh = newOf(what, differences);
      if (fresh.length === 0) return;
      unknown += fresh.length;
      print(title);
      for (const difference of fresh) {
        told.add(keyOf(what, difference));
        print(linesOf(difference));
      }
    },
    get unknown() {
      return unknown;
    },
    known,
  };
}

function linesOf({ where, portico, synapse }: Difference): string {
  const place = `    ${where === '' ? 'all of it' : where}`;
  return `${place}\n        Portico  ${brief(portico)}\n        Synapse  ${brief(synapse)}`;
}

const longest = 1500;

function brief(json: Json | undefined): string {
  if (json === undefined) return '(nothing)';
  const text = JSON.stringify(json);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
