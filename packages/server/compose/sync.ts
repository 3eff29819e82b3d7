import type { Database } from '@portico/storage';
import type { Metrics } from '../observability/metrics.ts';
import { createOldSync, type OldSync } from '../services/old-sync/old-sync.ts';
import type { PushRules } from '../services/push-rules/push-rules.ts';
import type { HistoryContext } from '../services/reading/context.ts';
import { createConnections } from '../services/sliding-sync/connections.ts';
import { createRemovedRooms } from '../services/sliding-sync/removed-rooms.ts';
import { createRoomFacts } from '../services/sliding-sync/room-facts.ts';
import { createRoomLabels } from '../services/sliding-sync/room-labels.ts';
import { createSlidingSync, type SlidingSync } from '../services/sliding-sync/sliding-sync.ts';
import type { FilterSource } from '../services/sync/filters.ts';
import type { SyncStream } from '../services/sync/streams.ts';
import { createAccountDataStream } from '../services/sync/streams/account-data.ts';
import { createReceiptStream } from '../services/sync/streams/receipts.ts';
import { createStickyStream } from '../services/sync/streams/sticky.ts';
import { createSync, type Sync } from '../services/sync/sync.ts';

type Context = {
  readonly db: Database;
  readonly reading: HistoryContext;
  readonly filters: FilterSource;
  readonly pushRules: PushRules;
  /** Those of services that other parts are made of, too. */
  readonly streams: readonly SyncStream[];
  readonly metrics: Metrics | undefined;
  readonly now: () => number;
};

export type SyncParts = {
  readonly sync: Sync;
  readonly slidingSync: SlidingSync;
  readonly oldSync: OldSync;
  close(): void;
};

/** How clients are kept up to date: `/sync`, and sliding sync on top of what it is made of. */
export function createSyncParts({ db, reading, filters, pushRules, streams, metrics, now }: Context): SyncParts {
  const sync = createSync({
    reading,
    filters,
    streams: [
      createAccountDataStream({ defaultPushRules: (userId) => pushRules.all(userId) }),
      createReceiptStream(),
      createStickyStream({ ignored: reading.ignored, erasedSenders: reading.erasedSenders, now }),
      ...streams,
    ],
    ...(metrics && { watchCache: metrics.watchCache }),
  });
  metrics?.watchOpenSyncs(() => sync.stats().waiting);
  const facts = createRoomFacts(db);
  const slidingSync = createSlidingSync({
    core: sync.core,
    facts,
    removed: createRemovedRooms(db),
    labels: createRoomLabels(db),
    connections: createConnections({ db, now }),
  });
  return {
    sync,
    slidingSync,
    oldSync: createOldSync({ reading, sync }),
    close() {
      facts.close();
      sync.close();
    },
  };
}
