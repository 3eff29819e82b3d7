/**
 * `answers`: it has shared a room with this one, or has answered when it was asked last; `away`: it has shared a room, and could not
 * be reached; `lost`: it never has, and could not be reached; `new`: it never has, and was never asked.
 */
export type Standing = 'answers' | 'away' | 'lost' | 'new';
export type Queued = Exclude<Standing, 'answers'>;

/**
 * Servers of which nothing is known in memory: anybody may name any number of them, and most may not exist. Of those that are not
 * known to answer few are seen to at a time, of each standing as many as it has place for, so that none of these waits for those of another; of the
 * others only the name is kept.
 */
export interface Admissions {
  /** There is something for a server, or may be. */
  offer(host: string): void;
  /** A server has answered, or is no longer seen to: another one is. */
  release(host: string): void;
  /** How many wait of which it is not known that they could not be reached. */
  readonly waiting: number;
  close(): Promise<void>;
}

type Options = {
  /** How these servers stand. Those that are left out are new. */
  readonly readStandings: (hosts: readonly string[]) => Promise<ReadonlyMap<string, Standing>>;
  /** Begins to see to a server; says whether there is anything to be done. */
  readonly admit: (host: string, standing: Standing) => boolean;
  /** All that waited are seen to, and there were others, for whose names there was no room. */
  readonly onRoom: () => void;
  readonly onFailure: (error: unknown) => void;
  readonly maxUnderWay?: Readonly<Record<Queued, number>>;
  readonly maxWaiting?: number;
};

const atOnce = 500;
const usual = { away: 100, lost: 20, new: 20 };

export function createAdmissions(options: Options): Admissions {
  const { readStandings, admit, onRoom, onFailure, maxUnderWay = usual, maxWaiting = 50_000 } = options;
  const unsorted = new Set<string>();
  const queues = { away: new Set<string>(), lost: new Set<string>(), new: new Set<string>() };
  const underWay = { away: new Set<string>(), lost: new Set<string>(), new: new Set<string>() };
  const all: readonly Queued[] = ['away', 'lost', 'new'];
  let sorting: Promise<void> | undefined;
  let hasOthers = false;
  const closing = new AbortController();

  const waits = (host: string): boolean => unsorted.has(host) || all.some((standing) => queues[standing].has(host));
  const names = (): number => all.reduce((sum, standing) => sum + queues[standing].size, unsorted.size);

  function fill(standing: Queued): void {
    for (const host of queues[standing]) {
      if (closing.signal.aborted || underWay[standing].size >= maxUnderWay[standing]) return;
      queues[standing].delete(host);
      if (admit(host, standing)) underWay[standing].add(host);
    }
    if (closing.signal.aborted || !hasOthers || names() > 0) return;
    hasOthers = false;
    onRoom();
  }

  async function sort(): Promise<void> {
    while (unsorted.size > 0 && !closing.signal.aborted) {
      const hosts = [...unsorted.values().take(atOnce)];
      const standings = await readStandings(hosts).catch((error: unknown) => {
        onFailure(error);
        return new Map<string, Standing>();
      });
      for (const host of hosts) {
        unsorted.delete(host);
        const standing = standings.get(host) ?? 'new';
        if (standing === 'answers') admit(host, standing);
        else queues[standing].add(host);
      }
      for (const standing of all) fill(standing);
    }
  }

  return {
    offer(host) {
      if (closing.signal.aborted || waits(host)) return;
      if (names() >= maxWaiting) {
        hasOthers = true;
        return;
      }
      unsorted.add(host);
      sorting ??= Promise.resolve()
        .then(sort)
        .finally(() => {
          sorting = undefined;
        });
    },
    release(host) {
      for (const standing of all) if (underWay[standing].delete(host)) fill(standing);
    },
    get waiting() {
      return unsorted.size + queues.new.size;
    },
    async close() {
      closing.abort();
      await sorting;
    },
  };
}
