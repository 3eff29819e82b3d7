import type { Database } from '../database.ts';
import { createWriteSet } from '../write-set.ts';
import { packOf, packSize, readPack, writePack } from './pack.ts';
import { deletePacks, selectPacks, selectRoomPackIds, updatePack } from './statements.ts';
import { answer, type NodeSource } from './steps.ts';

export type Swept = { readonly deletedPacks: number; readonly rewrittenPacks: number };

const idsPerQuery = 5000;
const packsPerCommit = 256;
const nodesAtOnce = 256;

/**
 * Deletes the nodes of a room that no living state uses. `liveRoots` gives, in batches, the root of every state that is kept:
 * those of the stored events, and of the room's head. The roots are asked for after the packs have been listed, so what is
 * written meanwhile is not touched; a state that no longer lives must not be edited any more when the sweep starts.
 *
 * Holds two bytes for each node that is kept, or about: a mask for each pack.
 */
export async function sweepRoom(
  database: Database,
  source: NodeSource,
  roomNid: number,
  liveRoots: () => AsyncIterable<readonly number[]>,
): Promise<Swept> {
  const packIds = await listPacks(database, roomNid);
  const live = await mark(source, liveRoots());
  let deletedPacks = 0;
  let rewrittenPacks = 0;
  for (let start = 0; start < packIds.length; start += packsPerCommit) {
    const batch = packIds.slice(start, start + packsPerCommit);
    const dead = batch.filter((packId) => !live.has(packId));
    const kept = batch.filter((packId) => live.has(packId));
    const set = createWriteSet();
    if (dead.length > 0) set.add(deletePacks, [JSON.stringify(dead)]);
    for (const { pack_id, nodes } of await database.all(selectPacks, [JSON.stringify(kept)])) {
      const mask = live.get(pack_id) ?? 0;
      const before = readPack(nodes);
      const after = before.map((node, place) => ((mask & (1 << place)) === 0 ? undefined : node));
      if (after.every((node, place) => node === before[place])) continue;
      set.add(updatePack, [pack_id, writePack(after)]);
      rewrittenPacks++;
    }
    deletedPacks += dead.length;
    if (set.writes.length > 0) await database.commit(set);
  }
  return { deletedPacks, rewrittenPacks };
}

async function listPacks(database: Database, roomNid: number): Promise<number[]> {
  const packIds: number[] = [];
  for (;;) {
    const rows = await database.all(selectRoomPackIds, [roomNid, packIds.at(-1) ?? -1, idsPerQuery]);
    for (const row of rows) packIds.push(row.pack_id);
    if (rows.length < idsPerQuery) return packIds;
  }
}

/** For each pack with living nodes, a bit for each of them. */
async function mark(source: NodeSource, roots: AsyncIterable<readonly number[]>): Promise<Map<number, number>> {
  const live = new Map<number, number>();
  function isNew(id: number): boolean {
    const packId = packOf(id);
    const bit = 1 << (id - packId * packSize);
    const mask = live.get(packId) ?? 0;
    if (id === 0 || (mask & bit) !== 0) return false;
    live.set(packId, mask | bit);
    return true;
  }
  for await (const batch of roots) {
    const waiting = batch.filter(isNew);
    while (waiting.length > 0) {
      const ids = waiting.splice(-nodesAtOnce);
      const nodes = await answer(
        source,
        (function* () {
          const find = yield ids;
          return ids.map(find);
        })(),
      );
      for (const slot of nodes.flatMap((node) => node.slots)) {
        if ((slot?.kind === 'branch' || slot?.kind === 'keys') && isNew(slot.child)) waiting.push(slot.child);
      }
    }
  }
  return live;
}
