import type { ServerName } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import type { StateChange, StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { type HistoryEventRow, readHistoryEvents, readStateKeys } from '@portico/storage/stores/events/history.ts';
import type { ImportDependencies } from '../../rooms/importing/import-dependencies.ts';
import { importOutliers } from '../../rooms/importing/import-room.ts';
import type { CheckedPdu } from '../rooms/check-pdus.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';
import type { HistorySource } from './history-source.ts';

/** The state of a room before an event of its past, as another server has it. */
export interface PastState {
  /** As an edit of a state that is known, at the cost of reading that one through. It is committed when it is answered. */
  before(
    room: FederatedRoom,
    server: ServerName,
    eventId: string,
    base: StateRoot,
  ): Promise<{
    readonly root: StateRoot;
    /** Whether all of it could be had, be it that some was rejected. */
    readonly isWhole: boolean;
  }>;
}

type Dependencies = { readonly source: HistorySource; readonly importing: ImportDependencies };

/** Events of a state that are fetched one by one; where more are missing, all of it is fetched. */
const mostSingle = 50;
const fetchedAtOnce = 5;
const perQuery = 1000;

export function createPastState({ source, importing }: Dependencies): PastState {
  const { db, states } = importing;

  async function fetchMissing(
    room: FederatedRoom,
    server: ServerName,
    eventId: string,
    missing: readonly string[],
  ): Promise<readonly CheckedPdu[]> {
    if (missing.length > mostSingle) return source.state(room, server, eventId);
    const fetched: (CheckedPdu | undefined)[] = [];
    for (let start = 0; start < missing.length; start += fetchedAtOnce) {
      const some = missing.slice(start, start + fetchedAtOnce);
      fetched.push(...(await Promise.all(some.map((each) => source.event(room, server, each)))));
    }
    return fetched.filter((each) => each !== undefined);
  }

  return {
    async before(room, server, eventId, base) {
      const { state, authChain } = await source.stateIds(room, server, eventId);
      const wanted = [...new Set([...state, ...authChain])];
      let known = await readAll(db, wanted);
      const missing = wanted.filter((each) => !known.has(each));
      if (missing.length > 0) {
        await importOutliers(importing, room, await fetchMissing(room, server, eventId, missing));
        known = new Map([...known, ...(await readAll(db, missing))]);
      }
      const rows = state.map((each) => known.get(each)).filter((row) => row !== undefined);
      const isWhole = rows.length === state.length;
      const entries = rows.filter((row) => row.room_nid === room.roomNid && row.status !== eventStatus.rejected);
      const changes = await changesBetween(db, states, base, entries);
      if (changes.length === 0) return { root: base, isWhole };
      const edit = await states.set(base, changes).run();
      await states.commitAhead(room.roomNid, edit);
      return { root: edit.root, isWhole };
    },
  };
}

async function readAll(db: Reader, eventIds: readonly string[]): Promise<Map<string, HistoryEventRow>> {
  const rows = new Map<string, HistoryEventRow>();
  for (let start = 0; start < eventIds.length; start += perQuery) {
    for (const row of await readHistoryEvents(db, eventIds.slice(start, start + perQuery))) rows.set(row.event_id, row);
  }
  return rows;
}

/** What has to be changed in a state so that it has these entries and no others. */
async function changesBetween(
  db: Reader,
  states: StateStore,
  base: StateRoot,
  entries: readonly HistoryEventRow[],
): Promise<StateChange[]> {
  const keyOf = (type: string, stateKey: string) => `${type}\0${stateKey}`;
  const wanted = new Map(entries.map((row) => [keyOf(row.type, row.state_key ?? ''), row.event_nid]));
  const nids = new Set(wanted.values());
  const present = new Set<number>();
  const changes: StateChange[] = [];
  for await (const page of states.events(base)) {
    for (const nid of page) present.add(nid);
    const superfluous = page.filter((nid) => !nids.has(nid));
    for (const { type, state_key: stateKey } of await readStateKeys(db, superfluous)) {
      if (!wanted.has(keyOf(type, stateKey))) changes.push({ type, stateKey, event: undefined });
    }
  }
  for (const { type, state_key: stateKey, event_nid: event } of entries) {
    if (stateKey !== null && !present.has(event)) changes.push({ type, stateKey, event });
  }
  return changes;
}
