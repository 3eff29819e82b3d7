/**
 * Servers that have never shared a room with this one, and do not answer or have never been asked: anybody may name any number
 * of them, and most may not exist. Few are seen to at a time; of the others only the name is kept.
 */
export interface Strangers {
  /** There is something for a server of which nothing is known. */
  offer(host: string): void;
  /** A server is no longer seen to. */
  gone(host: string): void;
  /** How many wait. */
  readonly waiting: number;
  close(): Promise<void>;
}

type Options = {
  /** Which of these are no strangers. */
  readonly readAcquainted: (hosts: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Begins to see to a server; says whether there is anything to be done. */
  readonly admit: (host: string) => boolean;
  /** All that waited are seen to, and there were others, for whose names there was no room. */
  readonly onRoom: () => void;
  readonly onFailure: (error: unknown) => void;
  readonly maxUnderWay?: number;
  readonly maxWaiting?: number;
};

const atOnce = 500;

export function createStrangers(options: Options): Strangers {
  const { readAcquainted, admit, onRoom, onFailure, maxUnderWay = 20, maxWaiting = 50_000 } = options;
  const unsorted = new Set<string>();
  const strange = new Set<string>();
  const underWay = new Set<string>();
  let sorting: Promise<void> | undefined;
  let hasOthers = false;
  const closing = new AbortController();

  function fill(): void {
    for (const host of strange) {
      if (closing.signal.aborted || underWay.size >= maxUnderWay) return;
      strange.delete(host);
      if (admit(host)) underWay.add(host);
    }
    if (closing.signal.aborted || !hasOthers || unsorted.size > 0) return;
    hasOthers = false;
    onRoom();
  }

  async function sort(): Promise<void> {
    while (unsorted.size > 0 && !closing.signal.aborted) {
      const hosts = [...unsorted.values().take(atOnce)];
      const acquainted = await readAcquainted(hosts).catch((error: unknown) => {
        onFailure(error);
        return new Set<string>();
      });
      for (const host of hosts) {
        unsorted.delete(host);
        if (acquainted.has(host)) admit(host);
        else strange.add(host);
      }
      fill();
    }
  }

  return {
    offer(host) {
      if (closing.signal.aborted || unsorted.has(host) || strange.has(host)) return;
      if (unsorted.size + strange.size >= maxWaiting) {
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
    gone(host) {
      if (underWay.delete(host)) fill();
    },
    get waiting() {
      return unsorted.size + strange.size;
    },
    async close() {
      closing.abort();
      await sorting;
    },
  };
}
