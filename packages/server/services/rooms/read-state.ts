import { findRoomVersion, type RoomEvent, type RoomVersionRules } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { readStateNids } from '@portico/storage/stores/rooms/current-state-some.ts';
import { findRoom, type RoomRow } from '@portico/storage/stores/rooms/rooms.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { StateEvents } from './state-events.ts';

/** Some of a room's committed state, for what is prepared before a plan decides. */
export type RoomState = {
  readonly roomNid: number;
  readonly roomId: string;
  readonly rules: RoomVersionRules;
  readonly row: RoomRow;
  /** An entry that was asked for. */
  readonly state: (type: string, stateKey?: string) => RoomEvent | undefined;
};

export type ReadState = (
  roomNid: number,
  entries: readonly (readonly [type: string, stateKey: string])[],
) => Promise<RoomState>;

export function createReadState(db: Reader, events: StateEvents): ReadState {
  return async (roomNid, entries) => {
    const [row, rows] = await Promise.all([findRoom(db, roomNid), readStateNids(db, roomNid, entries)]);
    const rules = row && findRoomVersion(row.room_version);
    if (row === undefined || rules === undefined) throw new MatrixError('room.not-found');
    const nids = rows.map((entry) => entry.event_nid);
    const loaded = await events.load(rules, nids);
    const found = new Map(
      rows.map((entry) => [`${entry.type}\0${entry.state_key}`, loaded.get(entry.event_nid)?.event]),
    );
    return {
      roomNid,
      roomId: row.room_id,
      rules,
      row,
      state: (type, stateKey = '') => found.get(`${type}\0${stateKey}`),
    };
  };
}
