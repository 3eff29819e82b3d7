import type { Reader } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { answered } from './visibility.ts';

/** The membership events, in one state of a room, of the people who sent the events. */
export async function readSenderMembers(
  { db, states }: { readonly db: Reader; readonly states: StateStore },
  rootId: number,
  senders: Iterable<string>,
): Promise<readonly ClientEventRow[]> {
  const root = await answered(states.root(rootId));
  const keys = [...new Set(senders)].map((sender) => ['m.room.member', sender] as const);
  const nids = await answered(states.getMany(root, keys));
  return readEvents(
    db,
    nids.filter((nid) => nid !== undefined),
  );
}
