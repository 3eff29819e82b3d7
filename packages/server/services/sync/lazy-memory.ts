/**
 * Which members a device was already told about, and in the answer up to which position. A client that shows a token has
 * got every answer up to it; what was sent later may be lost, and is sent again.
 */
export type LazyMemory = {
  knows(roomNid: number, userId: string, since: number | undefined): boolean;
  add(roomNid: number, userId: string, position: number): void;
  /** Of a room in whose members there was a gap, nobody is known any more. */
  forgetRoom(roomNid: number): void;
  clear(): void;
  /** The position of the last answer that it knows of; -1 for none. */
  lastAnswer: number;
  readonly size: number;
};

const maxMembers = 5000;

/** Forgets the older half when it is full: a miss only sends a member again. */
export function createLazyMemory(limit = maxMembers): LazyMemory {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  // What was known before a gap is left behind under keys that nobody asks for.
  const gaps = new Map<number, number>();
  const keyOf = (roomNid: number, userId: string) => `${roomNid}.${gaps.get(roomNid) ?? 0} ${userId}`;

  function put(key: string, position: number): void {
    if (young.size >= limit / 2 && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, position);
  }

  function clear(): void {
    gaps.clear();
    young = new Map();
    old = new Map();
  }

  return {
    lastAnswer: -1,
    knows(roomNid, userId, since) {
      if (since === undefined) return false;
      const key = keyOf(roomNid, userId);
      let position = young.get(key);
      if (position === undefined) {
        position = old.get(key);
        if (position !== undefined) put(key, position);
      }
      return position !== undefined && position <= since;
    },
    add(roomNid, userId, position) {
      const key = keyOf(roomNid, userId);
      // What the client has is known already; a later answer that may be lost must not put that in doubt.
      if (!young.has(key) && !old.has(key)) put(key, position);
    },
    forgetRoom(roomNid) {
      if (gaps.size >= limit && !gaps.has(roomNid)) clear();
      gaps.set(roomNid, (gaps.get(roomNid) ?? 0) + 1);
    },
    clear,
    get size() {
      return young.size + old.size;
    },
  };
}
