import type { Database } from '@portico/storage';
import type { ChainStore } from '@portico/storage/chain-cover/index.ts';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import type { StateEvents } from '../state-events.ts';

/** What storing events of other servers outside the timeline takes. */
export type ImportDependencies = {
  readonly db: Database;
  readonly states: StateStore;
  readonly chains: ChainStore;
  readonly stateEvents: StateEvents;
};
