import { parseRequiredState } from '@portico/protocol/sliding-sync/required-state.ts';
import { createReading } from '@portico/server/services/reading/reading.ts';
import type { ReadingContext, Requester } from '@portico/server/services/reading/context.ts';
import { createConnections } from '@portico/server/services/sliding-sync/connections.ts';
import { createRemovedRooms } from '@portico/server/services/sliding-sync/removed-rooms.ts';
import { createRoomFacts } from '@portico/server/services/sliding-sync/room-facts.ts';
import { createRoomLabels } from '@portico/server/services/sliding-sync/room-labels.ts';
import { createSlidingSync } from '@portico/server/services/sliding-sync/sliding-sync.ts';
import { createSyncCore } from '@portico/server/services/sync/sync-core.ts';
import type { Database } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import type { SlidingBody } from './sync-client.ts';

/** What is wanted of a room: how many events, and the types and keys of state. */
export type Wish = { readonly limit: number; readonly required: readonly string[][] };

export type TestSlidingSync = {
  readonly reading: ReadingContext;
  /** One answer, at once, about the rooms that are subscribed to. */
  slide(who: Requester, wanted: Readonly<Record<string, Wish>>, pos?: string): Promise<SlidingBody>;
  close(): void;
};

const noExtensions = {
  toDevice: undefined,
  e2ee: false,
  accountData: undefined,
  receipts: undefined,
  threadSubscriptions: undefined,
  typing: undefined,
  sticky: undefined,
};

/** Sliding sync without a server around it, on a database of the test. */
export function openSlidingSync({
  db,
  states,
}: {
  readonly db: Database;
  readonly states: StateStore;
}): TestSlidingSync {
  const now = () => 0;
  const reading = createReading({ db, states, now });
  const core = createSyncCore({ reading, streams: [] });
  const facts = createRoomFacts(db);
  const parts = { labels: createRoomLabels(db), removed: createRemovedRooms(db) };
  const { sync } = createSlidingSync({ core, facts, ...parts, connections: createConnections({ db, now }) });
  return {
    reading,
    async slide(who, wanted, pos) {
      const subscriptions = new Map(
        Object.entries(wanted).map(([roomId, { limit, required }]) => {
          return [roomId, { limit, state: parseRequiredState(required, who.userId) }] as const;
        }),
      );
      const answer = await sync({
        ...who,
        connId: '',
        pos,
        timeout: 0,
        extensions: noExtensions,
        shape: JSON.stringify(wanted),
        wishes: () => ({ lists: new Map(), subscriptions }),
        get signal(): AbortSignal {
          throw new Error('nobody waits here');
        },
      });
      return JSON.parse(answer) as SlidingBody;
    },
    close: facts.close,
  };
}
