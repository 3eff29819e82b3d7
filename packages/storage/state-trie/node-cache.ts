import type { StoredNode } from './node.ts';
import { openPack, packOf, type OpenPack, type Pack } from './pack.ts';

/** Read by the metrics; the counters only grow. */
export type NodeCacheStats = {
  hits: number;
  misses: number;
  evictions: number;
  bytes: number;
  packs: number;
  pendingPacks: number;
};

/**
 * The nodes in memory: those of states decided but not yet committed, which must stay, and up to `maxBytes` of others, of which
 * those that were not asked for since they were last passed over go first.
 */
export interface NodeCache {
  readonly stats: NodeCacheStats;
  find(nodeId: number): StoredNode | undefined;
  /** Takes over a pack that was read. */
  add(pack: Pack): OpenPack;
  addPending(packs: readonly Pack[]): void;
  /** Ends their being pending: keeps what is now in the database, forgets what will never be. */
  settle(packs: readonly Pack[], committed: boolean): void;
}

type Held = { readonly pack: OpenPack; cost: number; used: boolean };

export function createNodeCache(maxBytes: number): NodeCache {
  const held = new Map<number, Held>();
  const pending = new Map<number, OpenPack>();
  const stats = { hits: 0, misses: 0, evictions: 0, bytes: 0, packs: 0, pendingPacks: 0 };

  function evict(): void {
    for (const [packId, entry] of held) {
      if (stats.bytes <= maxBytes) break;
      held.delete(packId);
      if (entry.used) {
        entry.used = false;
        held.set(packId, entry);
        continue;
      }
      stats.bytes -= entry.cost;
      stats.evictions++;
    }
    stats.packs = held.size;
  }

  function recount(entry: Held): void {
    const cost = entry.pack.cost();
    if (cost === entry.cost) return;
    stats.bytes += cost - entry.cost;
    entry.cost = cost;
    if (stats.bytes > maxBytes) evict();
  }

  function hold(pack: OpenPack): void {
    const known = held.get(pack.packId);
    if (known !== undefined) stats.bytes -= known.cost;
    const entry = { pack, cost: 0, used: false };
    held.set(pack.packId, entry);
    stats.packs = held.size;
    recount(entry);
  }

  return {
    stats,
    find(nodeId) {
      const packId = packOf(nodeId);
      const open = pending.get(packId);
      const entry = open === undefined ? held.get(packId) : undefined;
      const node = (open ?? entry?.pack)?.find(nodeId);
      if (node === undefined) {
        stats.misses++;
        return undefined;
      }
      stats.hits++;
      if (entry !== undefined) {
        entry.used = true;
        recount(entry);
      }
      return node;
    },
    add(pack) {
      const open = openPack(pack);
      hold(open);
      return open;
    },
    addPending(packs) {
      for (const pack of packs) pending.set(pack.packId, openPack(pack));
      stats.pendingPacks = pending.size;
    },
    settle(packs, committed) {
      for (const { packId } of packs) {
        const open = pending.get(packId);
        pending.delete(packId);
        if (committed && open !== undefined) hold(open);
      }
      stats.pendingPacks = pending.size;
    },
  };
}
