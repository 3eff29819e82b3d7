import { ByteWriter } from './bytes.ts';
import type { Child, Draft, Edited } from './edit.ts';
import { writeNode } from './node-codec.ts';
import type { StateRoot } from './node.ts';
import { packSize, writePack, type Pack } from './pack.ts';

/** The new nodes of an edit, children before parents. The order keeps neighbours in one pack, whatever the size of the edit. */
export function draftsOf(edited: Edited): Draft[] {
  const drafts: Draft[] = [];
  function collect(child: Child): void {
    if (typeof child === 'number') return;
    for (const slot of child.slots) {
      if (slot?.kind === 'branch' || slot?.kind === 'keys') collect(slot.child);
    }
    drafts.push(child);
  }
  collect(edited.root);
  return drafts;
}

export function packsNeeded(drafts: readonly Draft[]): number {
  return Math.ceil(drafts.length / packSize);
}

/** Numbers and writes the new nodes, in packs numbered from `firstPack`. */
export function seal(edited: Edited, drafts: readonly Draft[], firstPack: number): { root: StateRoot; packs: Pack[] } {
  const ids = new Map<Draft, number>(drafts.map((draft, index) => [draft, firstPack * packSize + index]));
  function idOf(child: Child): number {
    const id = typeof child === 'number' ? child : ids.get(child);
    if (id === undefined) throw new Error('a new state node is missing from the nodes to be written');
    return id;
  }
  const writer = new ByteWriter();
  const packs: Pack[] = [];
  for (let start = 0; start < drafts.length; start += packSize) {
    const nodes = drafts.slice(start, start + packSize).map((draft) => {
      writeNode(writer, idOf(draft), draft, idOf);
      return writer.take();
    });
    packs.push({ packId: firstPack + packs.length, bytes: writePack(nodes) });
  }
  const { contentHash, count } = edited;
  return { root: { rootId: idOf(edited.root), contentHash, count }, packs };
}
