import type { Database } from '@portico/storage';
import { createConnections } from '../services/sliding-sync/connections.ts';
import { createRemovedRooms } from '../services/sliding-sync/removed-rooms.ts';
import { createRoomFacts } from '../services/sliding-sync/room-facts.ts';
import { createRoomLabels } from '../services/sliding-sync/room-labels.ts';
import { createSlidingSync, type SlidingSync } from '../services/sliding-sync/sliding-sync.ts';
import type { SyncCore } from '../services/sync/sync-core.ts';

/** Sliding sync, on top of what `/sync` is made of. */
export function composeSlidingSync({
  db,
  core,
  now,
}: {
  readonly db: Database;
  readonly core: SyncCore;
  readonly now: () => number;
}): SlidingSync & { close(): void } {
  const facts = createRoomFacts(db);
  const removed = createRemovedRooms(db);
  const connections = createConnections({ db, now });
  const { sync } = createSlidingSync({ core, facts, removed, labels: createRoomLabels(db), connections });
  return {
    sync,
    close: facts.close,
  };
}
