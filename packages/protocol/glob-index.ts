import { matchesGlob } from './glob.ts';
import { createHashChains, hashNext } from './hash-chains.ts';
import { stepSize } from './steps.ts';

/** Globs of which some are to match: they may be a hundred thousand, come from anybody, and are asked about anybody. */
export interface GlobIndex {
  readonly all: readonly string[];
  /**
   * The place of the first one that matches. Looks at all that have a certain part in common with the text, whether or not
   * one of them matches: what it takes tells nothing about that. Yields between steps.
   */
  findSteps(text: string): Generator<void, number | undefined, void>;
}

/** As many are looked at one by one in less time than it takes to look for those that may match. */
const few = 32;
/** Of the parts of one glob. */
const maxHashes = 8;
const partLength = 3;
const seeds = { beginning: 1, end: 2, part: 3 } as const;

const star = '*'.charCodeAt(0);
const wildcard = '?'.charCodeAt(0);
const isWild = (unit: number): boolean => unit === star || unit === wildcard;

/** Yields between steps. */
export function* globIndexSteps(globs: readonly string[]): Generator<void, GlobIndex, void> {
  if (globs.length <= few) return { all: globs, findSteps: (text) => firstMatch(globs, globs.keys(), text) };
  const chains = createHashChains(globs.length);
  /** Those that have no part which could be looked for. */
  const others: number[] = [];
  let done = 0;
  for (const [place, glob] of globs.entries()) {
    done += glob.length + 1;
    if (done >= stepSize) {
      done = 0;
      yield;
    }
    const rarest = rarestOf(hashesOfGlob(glob), chains.lengthOf);
    if (rarest === undefined) others.push(place);
    else chains.add(place, rarest);
  }
  return {
    all: globs,
    findSteps(text) {
      const places = others.slice();
      for (const hash of hashesOfText(text)) chains.collect(hash, places);
      return firstMatch(globs, places, text);
    },
  };
}

function* firstMatch(
  globs: readonly string[],
  places: Iterable<number>,
  text: string,
): Generator<void, number | undefined, void> {
  let first = Infinity;
  let done = 0;
  for (const place of places) {
    const glob = globs[place] ?? '';
    if (matchesGlob(glob, text) && place < first) first = place;
    done += glob.length + 1;
    if (done < stepSize) continue;
    done = 0;
    yield;
  }
  return first === Infinity ? undefined : first;
}

/** The one that fewest others have, so that no part that all have in common makes the index useless. */
function rarestOf(hashes: readonly number[], frequency: (hash: number) => number): number | undefined {
  let rarest: number | undefined;
  let least = Infinity;
  for (const hash of hashes) {
    const count = frequency(hash);
    if (count >= least) continue;
    least = count;
    rarest = hash;
  }
  return rarest;
}

/** Of what every text has that the glob matches: its end, its beginning, and some of what stands between wildcards. */
function hashesOfGlob(glob: string): number[] {
  const hashes: number[] = [];
  let end: number = seeds.end;
  let last = glob.length;
  for (; last > 0 && !isWild(glob.charCodeAt(last - 1)); last--) end = hashNext(end, glob.charCodeAt(last - 1));
  if (last < glob.length) hashes.push(end);
  let beginning: number = seeds.beginning;
  let first = 0;
  for (; first < last && !isWild(glob.charCodeAt(first)); first++) {
    beginning = hashNext(beginning, glob.charCodeAt(first));
  }
  if (first > 0) hashes.push(beginning);
  let length = 0;
  for (let index = first; index < last && hashes.length < maxHashes; index++) {
    if (isWild(glob.charCodeAt(index))) length = 0;
    else {
      length += 1;
      // Where a literal begins and where it ends, people tell their patterns apart.
      const isEnd = length > partLength && isWild(glob.charCodeAt(index + 1));
      if (length === partLength || isEnd) hashes.push(hashOfPart(glob, index));
    }
  }
  return hashes;
}

/** Of every end, every beginning, and every part of a text. */
function hashesOfText(text: string): ReadonlySet<number> {
  const hashes = new Set<number>();
  let end: number = seeds.end;
  let beginning: number = seeds.beginning;
  for (let index = 0; index < text.length; index++) {
    end = hashNext(end, text.charCodeAt(text.length - 1 - index));
    beginning = hashNext(beginning, text.charCodeAt(index));
    hashes.add(end).add(beginning);
    if (index >= partLength - 1) hashes.add(hashOfPart(text, index));
  }
  return hashes;
}

function hashOfPart(text: string, last: number): number {
  let hash: number = seeds.part;
  for (let index = last - partLength + 1; index <= last; index++) hash = hashNext(hash, text.charCodeAt(index));
  return hash;
}
