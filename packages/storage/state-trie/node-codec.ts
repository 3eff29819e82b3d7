import type { ByteReader, ByteWriter } from './bytes.ts';
import { emptyKeyHash, sameHash, type Hash } from './key-hash.ts';
import { width, type Leaf, type Node, type Slot, type StoredNode } from './node.ts';

/**
 * A node as bytes: whether it is a root (then the hash and the count of the state) or has leaves of an inner trie, which slots
 * are taken, which of those are branches, then the slots. A child is written as its distance from the node, which is small where things change often.
 */
const flag = { outer: 0, root: 1, inner: 2 } as const;
const tag = { singleEmpty: 0, single: 1, keys: 2 } as const;

/** `C` has been numbered by now: `idOf` tells the number of a child. */
export function writeNode<C>(writer: ByteWriter, id: number, node: Node<C>, idOf: (child: C) => number): void {
  const isInner = node.slots.some((slot) => slot?.kind === 'key');
  if (isInner) writer.byte(flag.inner);
  else writer.byte(node.summary === undefined ? flag.outer : flag.root);
  if (node.summary !== undefined) {
    writer.hex(node.summary.contentHash);
    writer.varint(node.summary.count);
  }
  let taken = 0;
  let branches = 0;
  node.slots.forEach((slot, index) => {
    if (slot === undefined) return;
    taken |= 1 << index;
    if (slot.kind === 'branch') branches |= 1 << index;
  });
  writer.uint16(taken);
  writer.uint16(branches);
  for (const slot of node.slots) {
    if (slot === undefined) continue;
    if (slot.kind === 'branch') writer.varint(zigzag(id - idOf(slot.child)));
    else writeLeaf(writer, id, slot, idOf);
  }
}

function writeLeaf<C>(writer: ByteWriter, id: number, leaf: Leaf<C>, idOf: (child: C) => number): void {
  switch (leaf.kind) {
    case 'key':
      writeHash(writer, leaf.hash);
      return writer.varint(leaf.event);
    case 'single': {
      const isEmpty = sameHash(leaf.key.hash, emptyKeyHash);
      writer.byte(isEmpty ? tag.singleEmpty : tag.single);
      writeHash(writer, leaf.hash);
      if (!isEmpty) writeHash(writer, leaf.key.hash);
      return writer.varint(leaf.key.event);
    }
    case 'keys':
      writer.byte(tag.keys);
      writeHash(writer, leaf.hash);
      return writer.varint(zigzag(id - idOf(leaf.child)));
    default:
      return leaf satisfies never;
  }
}

export function readNode(reader: ByteReader, id: number): StoredNode {
  const kind = reader.byte();
  const summary = kind === flag.root ? { contentHash: reader.hex(16), count: reader.varint() } : undefined;
  const taken = reader.uint16();
  const branches = reader.uint16();
  const slots: Slot<number>[] = [];
  for (let index = 0; index < width; index++) {
    const bit = 1 << index;
    if ((taken & bit) === 0) slots.push(undefined);
    else if ((branches & bit) === 0) slots.push(kind === flag.inner ? readKeyLeaf(reader) : readLeaf(reader, id));
    else slots.push({ kind: 'branch', child: id - unzigzag(reader.varint()) });
  }
  return { slots, summary };
}

function readKeyLeaf(reader: ByteReader): Leaf<number> {
  const hash = readHash(reader);
  return { kind: 'key', hash, event: reader.varint() };
}

function readLeaf(reader: ByteReader, id: number): Leaf<number> {
  const kind = reader.byte();
  const hash = readHash(reader);
  switch (kind) {
    case tag.singleEmpty:
      return { kind: 'single', hash, key: { kind: 'key', hash: emptyKeyHash, event: reader.varint() } };
    case tag.single:
      return { kind: 'single', hash, key: { kind: 'key', hash: readHash(reader), event: reader.varint() } };
    case tag.keys:
      return { kind: 'keys', hash, child: id - unzigzag(reader.varint()) };
    default:
      throw new Error(`a stored state node has a leaf of unknown kind ${kind}`);
  }
}

function writeHash(writer: ByteWriter, hash: Hash): void {
  writer.int32(hash.hi);
  writer.int32(hash.lo);
}

function readHash(reader: ByteReader): Hash {
  const hi = reader.int32();
  return { hi, lo: reader.int32() };
}

/** A child usually has the smaller number, but not where two processes number nodes from blocks of their own. */
function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
