/** Servers that are left alone until they are woken, by name: a few dozen bytes each, and no more of them than there is room for. */
export interface ParkedHosts {
  /** Whether a server is known to be left alone. */
  has(host: string): boolean;
  /** Whether a server is among these, or among those that there was no room for or that have not been read. */
  mayHave(host: string): boolean;
  add(host: string): void;
  delete(host: string): void;
  /** Forgets all of them, since their rows are read again. */
  beginReading(): void;
  /** Some of the rows, which may be older than what was said of a server since the reading began. */
  read(names: readonly string[]): void;
  /** `isAll`: those were all rows. */
  endReading(isAll: boolean): void;
  /** Whether there is no room for more. */
  readonly isFull: boolean;
  readonly size: number;
}

export function createParkedHosts(most: number): ParkedHosts {
  const hosts = new Set<string>();
  /** Of which something was said since the reading began. */
  const newer = new Set<string>();
  let isReading = false;
  let isComplete = false;
  let hadNoRoom = false;

  function put(host: string): void {
    if (hosts.size < most || hosts.has(host)) hosts.add(host);
    else {
      isComplete = false;
      hadNoRoom = true;
    }
  }

  return {
    has: (host) => hosts.has(host),
    mayHave: (host) => hosts.has(host) || !isComplete,
    add(host) {
      if (isReading) newer.add(host);
      put(host);
    },
    delete(host) {
      if (isReading) newer.add(host);
      hosts.delete(host);
    },
    beginReading() {
      hosts.clear();
      newer.clear();
      isReading = true;
      isComplete = false;
      hadNoRoom = false;
    },
    read(names) {
      for (const host of names) if (!newer.has(host)) put(host);
    },
    endReading(isAll) {
      isReading = false;
      newer.clear();
      isComplete = isAll && !hadNoRoom;
    },
    get isFull() {
      return hosts.size >= most;
    },
    get size() {
      return hosts.size;
    },
  };
}
