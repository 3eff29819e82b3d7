import type { RequiredState } from '@portico/protocol/sliding-sync/required-state.ts';
import type { Reader } from '@portico/storage';
import {
  readCurrentMembers,
  readCurrentState,
  type RootedStateRow,
} from '@portico/storage/stores/rooms/current-state-read.ts';
import { readStateEntries, readStateOfTypes } from '@portico/storage/stores/rooms/current-state-required.ts';
import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { readerFor, type SyncContext, type SyncPass } from '../sync/pass.ts';
import type { PlacedTimeline } from '../sync/placed-timeline.ts';
import { readAsOf, type Members } from '../sync/states.ts';

export type RequiringRoom = { readonly placed: PlacedTimeline; readonly state: RequiredState };

const memberType = 'm.room.member';
/** What the fields of a room are made of. */
const ownEntries = [
  ['m.room.name', ''],
  ['m.room.avatar', ''],
] as const;

/**
 * What is required of the rooms' states, with their names and avatars, and the members named besides, as they belong with
 * each timeline. There may be more: where something has happened since, differences of whole states are read.
 */
export async function readRequiredStates(
  context: SyncContext,
  rooms: readonly RequiringRoom[],
  pass: SyncPass,
  members: Members,
): Promise<ReadonlyMap<number, readonly ClientEventRow[]>> {
  if (rooms.length === 0) return new Map();
  const reader = readerFor(context, rooms.length);
  const groups = Map.groupBy(rooms, ({ state }) => state);
  const current = await Promise.all([
    readCurrentMembers(reader, members),
    ...Array.from(groups, ([state, group]) =>
      readRequired(
        reader,
        group.map(({ placed }) => placed.span.nid),
        state,
      ),
    ),
  ]);
  return readAsOf(
    context,
    rooms.map(({ placed }) => placed),
    pass,
    current.flat(),
  );
}

async function readRequired(
  reader: Reader,
  nids: readonly number[],
  { everything, members, types, stateKeys, entries }: RequiredState,
): Promise<readonly RootedStateRow[]> {
  const pairs = Array.from(entries, (entry): [string, string] => {
    const end = entry.indexOf('\0');
    return [entry.slice(0, end), entry.slice(end + 1)];
  });
  const wanted = new Set(types);
  if (members === 'all') wanted.add(memberType);
  const withKeys = stateKeys.size > 0;
  const [whole, ofTypes, single] = await Promise.all([
    everything || withKeys ? readCurrentState(reader, nids, 'without-members') : [],
    readStateOfTypes(reader, nids, [...wanted]),
    readStateEntries(reader, nids, [
      ...pairs,
      ...ownEntries,
      ...Array.from(stateKeys, (key) => [memberType, key] as const),
    ]),
  ]);
  const isWanted = (row: RootedStateRow) => everything || stateKeys.has(row.state_key);
  return [...whole.filter(isWanted), ...ofTypes, ...single];
}
