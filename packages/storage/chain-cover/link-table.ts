import type { Reader } from '../database.ts';
import type { ChainLink, LinkTable } from './closure.ts';
import { selectLinks, selectRoomLinks, type LinkRow } from './statements.ts';

/**
 * Past so many queries, or for so many chains at once, all links of the room are read in pages instead: a room can be made in
 * which each step leads to one more chain.
 */
const maxQueries = 16;
const maxChainsPerQuery = 4096;
const pageSize = 5000;

const none: readonly number[] = [];

/** The links of a room as one question meets them, with those not yet committed. Lives as long as the question. */
export function createLinkTable(
  reader: Reader,
  roomNid: number,
  pending: ReadonlyMap<number, readonly ChainLink[]>,
): LinkTable {
  const table = new Map<number, number[]>();
  const loaded = new Set<number>();
  let isComplete = false;
  let queries = 0;

  function add(row: LinkRow): void {
    const links = table.get(row.origin_chain);
    if (links === undefined) table.set(row.origin_chain, [row.origin_seq, row.target_chain, row.target_seq]);
    else links.push(row.origin_seq, row.target_chain, row.target_seq);
  }

  async function loadRoom(): Promise<void> {
    table.clear();
    let after: LinkRow | undefined;
    for (;;) {
      const { origin_chain, origin_seq, target_chain } = after ?? {
        origin_chain: -1,
        origin_seq: -1,
        target_chain: -1,
      };
      const rows = await reader.all(selectRoomLinks, [roomNid, origin_chain, origin_seq, target_chain, pageSize]);
      for (const row of rows) add(row);
      after = rows.at(-1);
      if (rows.length < pageSize) break;
    }
    isComplete = true;
    for (const chain of pending.keys()) addPending(chain);
  }

  /** Pending links follow the committed ones of their chain; a commit in between may have made some of them both. */
  function addPending(chain: number): void {
    const links = pending.get(chain);
    if (links === undefined) return;
    const known = table.get(chain) ?? [];
    const last = known.length === 0 ? 0 : known[known.length - 3]!;
    for (const { origin, target } of links) if (origin.seq > last) known.push(origin.seq, target.chain, target.seq);
    table.set(chain, known);
  }

  return {
    from: (chain) => table.get(chain) ?? none,
    async load(chains) {
      if (isComplete) return;
      const missing = chains.filter((chain) => !loaded.has(chain));
      if (missing.length === 0) return;
      if (++queries > maxQueries || missing.length > maxChainsPerQuery) return loadRoom();
      for (const row of await reader.all(selectLinks, [roomNid, JSON.stringify(missing)])) add(row);
      for (const chain of missing) {
        loaded.add(chain);
        addPending(chain);
      }
    },
  };
}
