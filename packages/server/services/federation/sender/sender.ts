import type { CommittedChanges } from '@portico/storage';
import { readHostsBehind, readHostsOfRooms } from '@portico/storage/stores/federation-sending.ts';
import { parseServerName } from '@portico/protocol';
import type { SenderDependencies } from './sender-dependencies.ts';
import { createDestination, type Destination } from './destination.ts';

/** Brings this server's events to all servers that are to have them. */
export interface FederationSender {
  /** A server has just been heard of: it can be reached again. */
  heardOf(host: string): void;
  close(): Promise<void>;
}

export function createSender(deps: SenderDependencies): FederationSender {
  const { db, outbox, serverName, log } = deps;
  const destinations = new Map<string, Destination>();
  const waiting = new Set<number>();
  let since = Number.MAX_SAFE_INTEGER;
  let looking: Promise<void> | undefined;
  const stopping = new AbortController();

  function find(host: string): Destination | undefined {
    const name = parseServerName(host);
    if (stopping.signal.aborted || name === undefined || name === serverName) return undefined;
    let destination = destinations.get(name);
    if (destination === undefined) {
      destination = createDestination(deps, name, () => destinations.delete(name));
      destinations.set(name, destination);
    }
    return destination;
  }

  function wake(host: string): void {
    find(host)?.wake();
  }

  /** Wakes those who are in the rooms that have changed: one query for all rooms of a moment. */
  async function look(): Promise<void> {
    while (waiting.size > 0 && !stopping.signal.aborted) {
      const [roomNids, from] = [[...waiting], since];
      waiting.clear();
      since = Number.MAX_SAFE_INTEGER;
      for (const host of await readHostsOfRooms(db, roomNids, from)) wake(host);
    }
  }

  function lookSoon(): void {
    looking ??= look()
      .catch((error: unknown) => log.error({ error }, 'Finding the servers of rooms failed'))
      .finally(() => {
        looking = undefined;
        if (waiting.size > 0 && !stopping.signal.aborted) lookSoon();
      });
  }

  const stop = db.onChanges((batches: readonly CommittedChanges[]) => {
    for (const { position, changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind === 'stored_edus') find(String(key))?.wakeForEdus();
        if (kind !== 'room') continue;
        waiting.add(Number(key));
        since = Math.min(since, position);
      }
    }
    if (waiting.size > 0) lookSoon();
  });

  const stopOutbox = outbox.onUrgent(wake);

  const starting = readHostsBehind(db).then(
    (hosts) => hosts.forEach(wake),
    (error: unknown) => log.error({ error }, 'Finding the servers that are behind failed'),
  );

  return {
    heardOf: (host) => destinations.get(host)?.heardOf(),
    async close() {
      stopping.abort();
      stop();
      stopOutbox();
      await Promise.all([starting, looking, ...[...destinations.values()].map((each) => each.close())]);
    },
  };
}
