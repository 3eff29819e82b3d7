import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const insert = sql<void, [eventNid: number, roomNid: number]>(
  'told-states.insert',
  'insert into told_states (event_nid, room_nid) values ($1, $2) on conflict do nothing',
);

/** Notes that the state before an event is what another server has told of it. */
export function addToldState(set: WriteSet, eventNid: number, roomNid: number): void {
  set.add(insert, [eventNid, roomNid]);
}

const selectOfRoom = sql<{ event_nid: number }, [roomNid: number]>(
  'told-states.of-room',
  'select event_nid from told_states where room_nid = $1 limit 1',
);

/** Whether what is here of a room rests on a state that another server has told, anywhere in it. */
export async function hasToldStates(reader: Reader, roomNid: number): Promise<boolean> {
  return (await reader.get(selectOfRoom, [roomNid])) !== undefined;
}

const selectTold = sql<{ event_id: string }, [eventIds: string]>(
  'told-states.among',
  `select e.event_id from events e join told_states t on t.event_nid = e.event_nid
   where e.event_id in (select value from json_each(cast($1 as text)))`,
);

/** Those of some events whose state before them another server has told. */
export async function toldAmong(reader: Reader, eventIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (eventIds.length === 0) return new Set();
  return new Set((await reader.all(selectTold, [JSON.stringify(eventIds)])).map((row) => row.event_id));
}
