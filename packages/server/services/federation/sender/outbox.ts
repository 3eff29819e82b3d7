import type { JsonObject } from '@portico/protocol';

/** What one server is to hear soon, and may miss. */
export type OutboxEntry = {
  /** What it replaces: of what waits for a server under one key, the last counts. Begins with its type. */
  readonly key: string;
  readonly type: string;
  readonly content: JsonObject;
  /** Whether it goes out at once, or with whatever is sent to the server next. */
  readonly urgent: boolean;
  /** Whether it is still true, and so kept, after the server has been out of reach. */
  readonly lasting: boolean;
  /** Whether it is worse if it does not arrive than if others do not: it is dropped last. */
  readonly weighty?: boolean;
  /** Called when it has arrived, or when it has been dropped; not when another entry takes its place. */
  readonly done?: ((hasArrived: boolean) => void) | undefined;
};

export type OutboxEdu = { readonly type: string; readonly content: JsonObject };

/** How several waiting entries of one type become one EDU. */
export type Merge = {
  readonly perEdu: number;
  /** How many of these an entry counts for; one if left out. An entry is never divided. */
  readonly weigh?: (content: JsonObject) => number;
  readonly merge: (contents: readonly JsonObject[]) => JsonObject;
};

/** EDUs that live in memory: typing and presence. Whoever has some puts them here, and the sender takes them along. */
export interface Outbox {
  put(hosts: Iterable<string>, entry: OutboxEntry): void;
  /** Calls back when something for a server should go out at once. Returns the function that stops it. */
  onUrgent(listener: (host: string) => void): () => void;
  /**
   * Calls back when what was dropped may be put again: a server, for which there was no room, has taken what waited; or this
   * process now sends to servers that another one sent to, any.
   */
  onOpen(listener: (host: string | undefined) => void): () => void;
  /** This process now sends to servers that another one sent to. */
  tookOver(): void;
  /** What waits for a server, the oldest first, as EDUs of a transaction, and the entries that they are made of. */
  pack(host: string, limit: number): { readonly edus: readonly OutboxEdu[]; readonly entries: readonly OutboxEntry[] };
  /** These entries have arrived. What has replaced one of them meanwhile stays. */
  sent(host: string, entries: readonly OutboxEntry[]): void;
  /** A server is out of reach: what does not last is dropped. */
  unreachable(host: string): void;
  /** Drops all that waits for a server: another process sends to it. */
  drop(host: string): void;
  /** How many entries wait for all servers together. */
  readonly size: number;
}

type Options = {
  readonly merges?: ReadonlyMap<string, Merge>;
  readonly maxPerHost?: number;
  readonly maxEntries?: number;
};

const alone: Merge = { perEdu: 1, merge: ([content]) => content ?? {} };

function* chunksOf(
  entries: readonly OutboxEntry[],
  { perEdu, weigh = () => 1 }: Merge,
): Generator<readonly OutboxEntry[], void, void> {
  let chunk: OutboxEntry[] = [];
  let weight = 0;
  for (const entry of entries) {
    const own = weigh(entry.content);
    if (chunk.length > 0 && weight + own > perEdu) {
      yield chunk;
      [chunk, weight] = [[], 0];
    }
    chunk.push(entry);
    weight += own;
  }
  if (chunk.length > 0) yield chunk;
}

export function createOutbox({ merges = new Map(), maxPerHost = 500, maxEntries = 200_000 }: Options = {}): Outbox {
  const hosts = new Map<string, Map<string, OutboxEntry>>();
  const listeners = new Set<(host: string) => void>();
  const openListeners = new Set<(host: string | undefined) => void>();
  /** Servers for which there was no room for something that somebody wants to know of. */
  const crowded = new Set<string>();
  let size = 0;

  function open(host: string | undefined): void {
    for (const listener of openListeners) listener(host);
  }

  /**
   * Makes place for another entry, if there is any: first goes what does not last, then what is not weighty, then what has
   * waited longest.
   */
  function shed(host: string, waiting: Map<string, OutboxEntry>, another: OutboxEntry): boolean {
    const [oldest] = waiting.values();
    const entry =
      waiting.values().find(({ lasting }) => !lasting) ??
      waiting.values().find(({ weighty }) => weighty !== true) ??
      (another.weighty === true ? oldest : undefined);
    if (entry === undefined) return false;
    waiting.delete(entry.key);
    size--;
    refuse(host, entry);
    return true;
  }

  function refuse(host: string, { done }: OutboxEntry): void {
    if (done === undefined) return;
    crowded.add(host);
    done(false);
  }

  function put(host: string, entry: OutboxEntry): void {
    const waiting = hosts.get(host) ?? new Map<string, OutboxEntry>();
    if (waiting.delete(entry.key)) size--;
    else if (waiting.size >= maxPerHost || size >= maxEntries) {
      if (!shed(host, waiting, entry)) return refuse(host, entry);
    }
    waiting.set(entry.key, entry);
    size++;
    hosts.set(host, waiting);
    if (entry.urgent) for (const listener of listeners) listener(host);
  }

  function remove(host: string, keep: (entry: OutboxEntry) => boolean, hasArrived: boolean): void {
    const waiting = hosts.get(host);
    if (waiting === undefined) return;
    for (const entry of waiting.values()) {
      if (keep(entry)) continue;
      waiting.delete(entry.key);
      size--;
      entry.done?.(hasArrived);
    }
    if (waiting.size === 0) hosts.delete(host);
  }

  return {
    put(to, entry) {
      for (const host of to) put(host, entry);
    },
    onUrgent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    pack(host, limit) {
      const edus: OutboxEdu[] = [];
      const entries: OutboxEntry[] = [];
      const byType = Map.groupBy(hosts.get(host)?.values() ?? [], ({ type }) => type);
      for (const [type, ofType] of byType) {
        const merge = merges.get(type) ?? alone;
        for (const chunk of chunksOf(ofType, merge)) {
          if (edus.length >= limit) break;
          edus.push({ type, content: merge.merge(chunk.map(({ content }) => content)) });
          entries.push(...chunk);
        }
      }
      return { edus, entries };
    },
    sent(host, entries) {
      const arrived = new Set(entries);
      remove(host, (entry) => !arrived.has(entry), true);
      if (entries.length > 0 && crowded.delete(host)) open(host);
    },
    onOpen(listener) {
      openListeners.add(listener);
      return () => openListeners.delete(listener);
    },
    tookOver: () => open(undefined),
    unreachable: (host) => remove(host, ({ lasting }) => lasting, false),
    drop(host) {
      crowded.delete(host);
      remove(host, () => false, false);
    },
    get size() {
      return size;
    },
  };
}
