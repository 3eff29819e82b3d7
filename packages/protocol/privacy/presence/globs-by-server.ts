import { createHashChains, hashNext } from '../../hash-chains.ts';
import { stepSize } from '../../steps.ts';
import { canMatchServer, serverOfGlob } from './glob-reach.ts';

/** Globs of people's IDs, by the servers of those whom they can match. */
export interface GlobsByServer {
  /** Those that can match anybody of a server, at most so many. Yields between steps. */
  ofSteps(server: string, limit: number): Generator<void, readonly string[], void>;
  /** Servers that are named by globs which match nobody of any other: the first of them. */
  readonly named: ReadonlySet<string>;
}

/** As many are looked at one by one in less time than it takes to look for them. */
const few = 32;
/** Nobody makes use of more. */
const maxNamed = 512;

/** Yields between steps. */
export function* globsByServerSteps(globs: readonly string[]): Generator<void, GlobsByServer, void> {
  const named = new Set<string>();
  const chains = globs.length > few ? createHashChains(globs.length) : undefined;
  let done = 0;
  for (const [place, glob] of globs.entries()) {
    const server = named.size < maxNamed ? serverOfGlob(glob) : undefined;
    if (server !== undefined) named.add(server);
    chains?.add(place, hashOf(endOf(glob)));
    done += glob.length + 1;
    if (done < stepSize) continue;
    done = 0;
    yield;
  }

  function placesFor(server: string): Iterable<number> {
    if (chains === undefined) return globs.keys();
    const places: number[] = [];
    const domain = `:${server}`;
    for (let length = 0; length <= domain.length; length++) {
      chains.collect(hashOf(domain.slice(domain.length - length)), places);
    }
    return places;
  }

  return {
    named,
    *ofSteps(server, limit) {
      const found: string[] = [];
      let looked = 0;
      for (const place of placesFor(server)) {
        const glob = globs[place] ?? '';
        if (canMatchServer(glob, server)) found.push(glob);
        if (found.length >= limit) break;
        looked += glob.length + 1;
        if (looked < stepSize) continue;
        looked = 0;
        yield;
      }
      return found;
    },
  };
}

/** With what every server ends, with a colon in front, whose people a glob can match. */
function endOf(glob: string): string {
  const literal = glob.slice(Math.max(glob.lastIndexOf('*'), glob.lastIndexOf('?')) + 1);
  const colon = literal.indexOf(':');
  return colon === -1 ? literal : literal.slice(colon);
}

function hashOf(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = hashNext(hash, text.charCodeAt(index));
  return hash;
}
