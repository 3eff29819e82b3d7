import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import type { ChainStore } from '@portico/storage/chain-cover/index.ts';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import type { EventStatus } from '@portico/storage/stores/events/event-row.ts';
import { addEventOutsideTimeline } from '@portico/storage/stores/events/events-write.ts';
import { addPendingRedaction, type Redacts } from '@portico/storage/stores/events/pending-redactions.ts';
import type { StepCommitter } from '../commit-steps.ts';
import { emptied, mayComeBack } from './emptied.ts';
import type { Prepared } from './prepare.ts';
import type { ReceivingRoom } from './received-event.ts';

type Dependencies = {
  readonly db: Database;
  readonly states: StateStore;
  readonly chains: ChainStore;
  readonly committer: StepCommitter;
};

/** What stores an event that does not become part of its room. `redacts`: what it is to redact once that is here. */
export function writesOutside(
  { states, chains }: Pick<Dependencies, 'states' | 'chains'>,
  { rules }: Pick<ReceivingRoom, 'rules'>,
  { stored, edits, chain }: Prepared,
  status: EventStatus,
  redacts?: Redacts,
): WriteSet {
  const set = createWriteSet();
  const outside = { ...stored, status };
  addEventOutsideTimeline(set, mayComeBack(outside, redacts !== undefined) ? outside : emptied(rules, outside));
  for (const edit of edits) states.append(set, stored.roomNid, edit);
  if (chain !== undefined) chains.append(set, chain);
  if (redacts !== undefined) addPendingRedaction(set, redacts, stored);
  return set;
}

export async function storeOutside(
  deps: Dependencies,
  room: Pick<ReceivingRoom, 'rules'>,
  prepared: Prepared,
  status: EventStatus,
  redacts?: Redacts,
): Promise<void> {
  let committed = false;
  try {
    await deps.db.commit(writesOutside(deps, room, prepared, status, redacts));
    committed = true;
  } finally {
    deps.committer.settle([prepared], committed);
  }
}
