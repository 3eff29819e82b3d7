import type { Reader } from '../database.ts';
import type { ChainRange, Extent } from './closure.ts';
import type { PendingChains } from './placed-memory.ts';
import { rangesPerQuery, selectLinksInto, selectLinked, type LinkRow, type PositionRow } from './statements.ts';

/** The state events on which all the states agree. There may be very many of them. */
export interface CommonState {
  /** Which of these events are among them. */
  among(eventNids: readonly number[]): Promise<ReadonlySet<number>>;
  all(): AsyncIterable<readonly number[]>;
}

export type CommonSearch = {
  readonly reader: Reader;
  readonly roomNid: number;
  readonly pending: PendingChains;
  readonly rows: (ranges: readonly ChainRange[], limit: number) => Promise<PositionRow[]>;
  readonly common: CommonState;
  readonly maxQueries: number;
};

/** A chain from whose event `from` on everything reaches event `reaches` of the range in question (`undefined`: at least itself). */
type Lead = { readonly chain: number; readonly from: number; readonly reaches: number | undefined };

const pageSize = rangesPerQuery;
const maxRows = 2000;
const manyRanges = 8;

/**
 * How far into each range the auth chains of common events, those events included, reach. Goes backwards from the range to the events that have it in
 * their auth chain, and stops at the first common one that reaches the end: of an event that matters, most members' joins are
 * such. `undefined` once it has taken `maxQueries`, for then it is cheaper to go forwards from all of them.
 */
export async function searchCommon(search: CommonSearch, ranges: readonly ChainRange[]): Promise<Extent | undefined> {
  const reached = new Map<number, number>();
  let queries = 0;

  /** What common events among `rows` reach, as `reaches` tells for each. */
  async function best(rows: readonly PositionRow[], reaches: (row: PositionRow) => number): Promise<number> {
    const common = await search.common.among(rows.map((row) => row.event_nid));
    let most = 0;
    for (const row of rows) if (common.has(row.event_nid)) most = Math.max(most, reaches(row));
    return most;
  }

  /** Of many ranges those to which something leads from elsewhere: most are what one branch has, which nothing else knows of. */
  async function withLinks(): Promise<readonly ChainRange[]> {
    if (ranges.length < manyRanges) return ranges;
    const ends = ranges.map((range) => ({ ...range, high: Number.MAX_SAFE_INTEGER }));
    const [own, linked] = await Promise.all([search.rows(ends, maxRows), linkedFrom(search, ranges)]);
    if (own.length >= maxRows) return ranges;
    const common = await search.common.among(own.map((row) => row.event_nid));
    const byChain = Map.groupBy(own, (row) => row.chain_id);
    for (const { chain, low, high } of ranges) {
      if (linked.has(chain)) continue;
      const known = (byChain.get(chain) ?? []).filter((row) => common.has(row.event_nid));
      reached.set(chain, Math.max(low, ...known.map((row) => Math.min(row.chain_seq, high))));
    }
    return ranges.filter(({ chain }) => linked.has(chain));
  }

  for (const range of await withLinks()) {
    if (++queries > search.maxQueries) return undefined;
    const own = await search.rows([{ chain: range.chain, low: range.low, high: Number.MAX_SAFE_INTEGER }], maxRows);
    if (own.length >= maxRows) return undefined;
    let most = Math.max(range.low, await best(own, (row) => Math.min(row.chain_seq, range.high)));
    const seen = new Map<number, Lead>();
    const leads: Lead[] = [{ chain: range.chain, from: range.low + 1, reaches: undefined }];
    for (let lead = leads.pop(); lead !== undefined && most < range.high; lead = leads.pop()) {
      if (lead.reaches !== undefined && lead.reaches <= most) continue;
      let before: LinkRow | undefined;
      do {
        queries += 2;
        if (queries > search.maxQueries) return undefined;
        const page: LinkRow[] = await linksInto(search, lead, before);
        before = page.length < pageSize ? undefined : page.at(-1);
        const links = before === undefined ? [...page, ...pendingInto(search.pending, lead)] : page;
        const found = links.map((link) => ({
          chain: link.origin_chain,
          from: link.origin_seq,
          reaches: lead.reaches ?? Math.min(link.target_seq, range.high),
        }));
        const wanted = found.map(({ chain, from }) => ({ chain, low: from - 1, high: Number.MAX_SAFE_INTEGER }));
        const rows = wanted.length === 0 ? [] : await search.rows(wanted, maxRows);
        if (rows.length >= maxRows) return undefined;
        const reachedBy = (row: PositionRow): number =>
          Math.max(
            0,
            ...found.filter((one) => one.chain === row.chain_id && one.from <= row.chain_seq).map((one) => one.reaches),
          );
        most = Math.max(most, await best(rows, reachedBy));
        for (const one of found) {
          const known = seen.get(one.chain);
          if (known?.reaches !== undefined && known.from <= one.from && known.reaches >= one.reaches) continue;
          seen.set(one.chain, one);
          leads.push(one);
        }
      } while (before !== undefined && most < range.high);
    }
    reached.set(range.chain, most);
  }
  return reached;
}

/** The chains of ranges into which links lead. */
async function linkedFrom(
  { reader, roomNid, pending }: CommonSearch,
  ranges: readonly ChainRange[],
): Promise<ReadonlySet<number>> {
  const linked = new Set<number>();
  for (let start = 0; start < ranges.length; start += rangesPerQuery) {
    const batch = ranges.slice(start, start + rangesPerQuery);
    const params = batch.flatMap(({ chain, low }) => [chain, low + 1]);
    while (params.length < rangesPerQuery * 2) params.push(-1, 0);
    for (const { chain_id: chain } of await reader.all(selectLinked, [roomNid, ...params])) linked.add(chain);
  }
  const lowest = new Map(ranges.map(({ chain, low }) => [chain, low]));
  for (const { target } of [...pending.links.values()].flat()) {
    if (target.seq > (lowest.get(target.chain) ?? Number.POSITIVE_INFINITY)) linked.add(target.chain);
  }
  return linked;
}

function linksInto({ reader, roomNid }: CommonSearch, lead: Lead, before: LinkRow | undefined): Promise<LinkRow[]> {
  const last = Number.MAX_SAFE_INTEGER;
  const { target_seq, origin_chain, origin_seq } = before ?? { target_seq: last, origin_chain: last, origin_seq: last };
  const lowest = lead.from;
  return reader.all(selectLinksInto, [roomNid, lead.chain, lowest, target_seq, origin_chain, origin_seq, pageSize]);
}

function pendingInto(pending: PendingChains, lead: Lead): LinkRow[] {
  const links = [...pending.links.values()].flat();
  return links
    .filter(({ target }) => target.chain === lead.chain && target.seq >= lead.from)
    .map(({ origin, target }) => ({
      origin_chain: origin.chain,
      origin_seq: origin.seq,
      target_chain: target.chain,
      target_seq: target.seq,
    }));
}
