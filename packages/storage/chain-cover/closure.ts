/** Where an event lies in the cover: `seq` counts from 1 along its chain, each event having the one before in its auth chain. */
export type ChainPosition = { readonly chain: number; readonly seq: number };

/** The event at `origin` has the one at `target`, which is in another chain, among its auth events. */
export type ChainLink = { readonly origin: ChainPosition; readonly target: ChainPosition };

/** For each chain a sequence number: of the last event reached, or of the first that reaches. */
export type Extent = ReadonlyMap<number, number>;

/** Links by the chain they start in, as flat triples (origin seq, target chain, target seq) in order of origin seq. */
export interface LinkTable {
  /** Answers once the links of all these chains are in memory. */
  load(chains: readonly number[]): Promise<void>;
  from(chain: number): readonly number[];
}

/**
 * What is reached from `seeds`: for each chain the last event of it, everything before which is then reached too.
 *
 * `strict` leaves the seeds themselves out, unless one is reached from another: "The auth chain of an event E is the set
 * containing all of E's auth events, all of their auth events, and so on recursively."
 * https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export async function reachOf(
  table: LinkTable,
  seeds: readonly ChainPosition[],
  options: { readonly strict: boolean },
): Promise<Extent> {
  const reach = new Map<number, number>();
  /** The last event of a chain whose links count, and how many of the chain's links have been followed. */
  const active = new Map<number, number>();
  const followed = new Map<number, number>();
  let unloaded = new Set<number>();

  for (const { chain, seq } of seeds) {
    raise(reach, chain, options.strict ? seq - 1 : seq);
    if (raise(active, chain, seq)) unloaded.add(chain);
  }
  while (unloaded.size > 0) {
    const ready = [...unloaded];
    unloaded = new Set();
    await table.load(ready);
    for (let chain = ready.pop(); chain !== undefined; chain = ready.pop()) {
      const links = table.from(chain);
      const limit = active.get(chain) ?? 0;
      let at = followed.get(chain) ?? 0;
      for (; at < links.length && links[at]! <= limit; at += 3) {
        const target = links[at + 1]!;
        const seq = links[at + 2]!;
        raise(reach, target, seq);
        if (!raise(active, target, seq)) continue;
        if (followed.has(target)) ready.push(target);
        else unloaded.add(target);
      }
      followed.set(chain, at);
    }
  }
  return reach;
}

function raise(extent: Map<number, number>, chain: number, seq: number): boolean {
  if ((extent.get(chain) ?? 0) >= seq) return false;
  extent.set(chain, seq);
  return true;
}

/**
 * The other way, among what is within `reach` (whose links are loaded): for each chain the first event that reaches one of
 * `goals`, everything after which then does so too.
 */
export function reachingTo(table: LinkTable, reach: Extent, goals: readonly ChainPosition[]): Extent {
  const into = new Map<number, number[]>();
  for (const [chain, limit] of reach) {
    const links = table.from(chain);
    for (let at = 0; at < links.length && links[at]! <= limit; at += 3) {
      const target = links[at + 1]!;
      const list = into.get(target);
      if (list === undefined) into.set(target, [links[at + 2]!, chain, links[at]!]);
      else list.push(links[at + 2]!, chain, links[at]!);
    }
  }
  const first = new Map<number, number>();
  const changed: number[] = [];
  const lower = (chain: number, seq: number): void => {
    if ((first.get(chain) ?? Number.POSITIVE_INFINITY) <= seq) return;
    first.set(chain, seq);
    changed.push(chain);
  };
  for (const { chain, seq } of goals) lower(chain, seq);
  for (let chain = changed.pop(); chain !== undefined; chain = changed.pop()) {
    const from = first.get(chain)!;
    const links = into.get(chain) ?? [];
    for (let at = 0; at < links.length; at += 3) if (links[at]! >= from) lower(links[at + 1]!, links[at + 2]!);
  }
  return first;
}

/** Events of a chain after `low`, up to and including `high`. */
export type ChainRange = { readonly chain: number; readonly low: number; readonly high: number };

/** What some extents reach and others do not. */
export function differenceOf(extents: readonly Extent[]): ChainRange[] {
  const ranges: ChainRange[] = [];
  const chains = new Set(extents.flatMap((extent) => [...extent.keys()]));
  for (const chain of chains) {
    let low = Number.POSITIVE_INFINITY;
    let high = 0;
    for (const extent of extents) {
      const seq = extent.get(chain) ?? 0;
      low = Math.min(low, seq);
      high = Math.max(high, seq);
    }
    if (low < high) ranges.push({ chain, low, high });
  }
  return ranges;
}

/** The parts of ranges that an extent does not reach. */
export function withoutReached(ranges: readonly ChainRange[], reached: Extent): ChainRange[] {
  return ranges.flatMap((range) => {
    const low = Math.max(range.low, reached.get(range.chain) ?? 0);
    return low < range.high ? [{ ...range, low }] : [];
  });
}
