import { ByteReader, ByteWriter } from './bytes.ts';
import { readNode } from './node-codec.ts';
import type { StoredNode } from './node.ts';

/**
 * Nodes are stored in packs of up to 16, one row each: the nodes that one edit makes are written, and mostly read, together,
 * and the overhead of a row on either engine is larger than most nodes. A node's number is its pack's times 16 plus its place.
 */
export const packSize = 16;

export type Pack = { readonly packId: number; readonly bytes: Uint8Array };

export function packOf(nodeId: number): number {
  return Math.floor(nodeId / packSize);
}

/** Writes nodes (already bytes; `undefined` for one that has been swept away) one after the other, each with its length. */
export function writePack(nodes: readonly (Uint8Array | undefined)[]): Uint8Array {
  const writer = new ByteWriter();
  for (const node of nodes) {
    writer.varint(node?.length ?? 0);
    if (node !== undefined) writer.raw(node);
  }
  return writer.take();
}

/** The bytes of each node of a pack, without copying them. */
export function readPack(bytes: Uint8Array): (Uint8Array | undefined)[] {
  const nodes: (Uint8Array | undefined)[] = [];
  const reader = new ByteReader(bytes);
  while (!reader.done) {
    const length = reader.varint();
    nodes.push(length === 0 ? undefined : bytes.subarray(reader.at, reader.at + length));
    reader.skip(length);
  }
  return nodes;
}

/** A pack in memory, whose nodes are parsed when they are first asked for. */
export type OpenPack = {
  readonly packId: number;
  readonly bytes: Uint8Array;
  find(nodeId: number): StoredNode | undefined;
  /** A generous estimate of the memory that the pack takes, which grows as nodes are parsed. */
  cost(): number;
};

const baseCost = 400;
const nodeCost = 500;

export function openPack(pack: Pack): OpenPack {
  const parsed: (StoredNode | undefined)[] = [];
  let cost = baseCost + pack.bytes.length;
  return {
    packId: pack.packId,
    bytes: pack.bytes,
    cost: () => cost,
    find(nodeId) {
      const place = nodeId - pack.packId * packSize;
      const known = parsed[place];
      if (known !== undefined) return known;
      const reader = new ByteReader(pack.bytes);
      for (let i = 0; i < place && !reader.done; i++) reader.skip(reader.varint());
      const length = reader.done ? 0 : reader.varint();
      if (length === 0) return undefined;
      const node = readNode(reader, nodeId);
      parsed[place] = node;
      cost += nodeCost + length * 8;
      return node;
    },
  };
}
