import { hash } from 'node:crypto';

/** A 64-bit hash as two signed 32-bit halves, which V8 keeps unboxed. */
export type Hash = { readonly hi: number; readonly lo: number };

/** Where an entry of a room's state lies in the trie. */
export type StatePath = { readonly type: Hash; readonly key: Hash };

/**
 * Hashes what the trie is keyed by, with a secret of the database.
 *
 * The trie takes equal hashes for equal keys and keeps no text to compare. With 64 bits and a secret key that no other
 * server or user can see the output of, nobody can search for two keys that collide; what is left is chance: among
 * n keys of one type it is n² / 2^65, 3 in 10^10 for a room of 100,000 members. The hash of the whole state is 128 bits
 * of the same kind, added up over the entries, so that it follows an edit without reading the rest.
 */
export interface KeyHasher {
  path(type: string, stateKey: string): StatePath;
  type(type: string): Hash;
  /** What one entry adds to the hash of a state, modulo 2^128. */
  entry(path: StatePath, event: number): bigint;
}

/** Most entries of a room other than members have the empty state key: a hash that is known needs no bytes in a node. */
export const emptyKeyHash: Hash = { hi: 0, lo: 0 };

const maxRememberedTypes = 1024;

export function createKeyHasher(secret: Uint8Array): KeyHasher {
  if (secret.length !== 16) throw new Error(`the secret of the state trie has ${secret.length} bytes instead of 16`);
  const types = new Map<string, Hash>();
  const entryInput = Buffer.alloc(16 + 1 + 24);
  entryInput.set(secret);
  entryInput[16] = 2;
  const typePrefix = Buffer.from([...secret, 0]);
  const keyPrefix = Buffer.from([...secret, 1]);

  function type(text: string): Hash {
    const known = types.get(text);
    if (known !== undefined) return known;
    const made = hashText(typePrefix, text);
    if (types.size >= maxRememberedTypes) types.clear();
    types.set(text, made);
    return made;
  }

  return {
    type,
    path: (typeText, stateKey) => ({
      type: type(typeText),
      key: stateKey === '' ? emptyKeyHash : hashText(keyPrefix, stateKey),
    }),
    entry(path, event) {
      entryInput.writeInt32BE(path.type.hi, 17);
      entryInput.writeInt32BE(path.type.lo, 21);
      entryInput.writeInt32BE(path.key.hi, 25);
      entryInput.writeInt32BE(path.key.lo, 29);
      entryInput.writeBigInt64BE(BigInt(event), 33);
      const digest = hash('sha256', entryInput, 'buffer');
      return (digest.readBigUInt64BE(0) << 64n) | digest.readBigUInt64BE(8);
    },
  };
}

function hashText(prefix: Buffer, text: string): Hash {
  const digest = hash('sha256', Buffer.concat([prefix, Buffer.from(text, 'utf8')]), 'buffer');
  return { hi: digest.readInt32BE(0), lo: digest.readInt32BE(4) };
}

/** The order of the trie: halves compared as unsigned. */
export function compareHash(a: Hash, b: Hash): number {
  return (a.hi >>> 0) - (b.hi >>> 0) || (a.lo >>> 0) - (b.lo >>> 0);
}

export function sameHash(a: Hash, b: Hash): boolean {
  return a.hi === b.hi && a.lo === b.lo;
}

/** The four bits by which the node at `depth` (0 to 15) branches. */
export function nibble(hash: Hash, depth: number): number {
  return depth < 8 ? (hash.hi >>> (28 - 4 * depth)) & 15 : (hash.lo >>> (28 - 4 * (depth - 8))) & 15;
}
