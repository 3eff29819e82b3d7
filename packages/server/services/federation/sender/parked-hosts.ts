/** A server, and until when it is left alone. */
type Row = { readonly host: string; readonly retry_at: number };

/** Servers that are left alone until some time, by name: a few dozen bytes each, and no more of them than there is room for. */
export interface ParkedHosts {
  /** Whether a server is known to be left alone until later than now. */
  has(host: string, now: number): boolean;
  /** Whether a server is among these, or among those that there was no room for or that have not been read. */
  mayHave(host: string): boolean;
  add(host: string, retryAt: number): void;
  delete(host: string): void;
  /** Forgets all of them, since their rows are read again. */
  beginReading(): void;
  /** Some of the rows, which may be older than what was said of a server since the reading began. */
  read(rows: readonly Row[]): void;
  /** `isAll`: those were all rows. */
  endReading(isAll: boolean): void;
  /** Whether there is no room for more. */
  readonly isFull: boolean;
  readonly size: number;
}

export function createParkedHosts(most: number): ParkedHosts {
  const hosts = new Map<string, number>();
  /** Of which something was said since the reading began. */
  const newer = new Set<string>();
  let isReading = false;
  let isComplete = false;
  let hadNoRoom = false;

  function put(host: string, retryAt: number): void {
    if (hosts.size < most || hosts.has(host)) hosts.set(host, retryAt);
    else {
      isComplete = false;
      hadNoRoom = true;
    }
  }

  return {
    has: (host, now) => (hosts.get(host) ?? 0) > now,
    mayHave: (host) => hosts.has(host) || !isComplete,
    add(host, retryAt) {
      if (isReading) newer.add(host);
      put(host, retryAt);
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
    read(rows) {
      for (const { host, retry_at: retryAt } of rows) if (!newer.has(host)) put(host, retryAt);
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
