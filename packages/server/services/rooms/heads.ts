import { findRoomVersion } from '@portico/protocol';
import type { Database, Turn } from '@portico/storage';
import { type ExtremityRow, findRoom, type RoomRow } from '@portico/storage/stores/rooms/rooms.ts';
import type { StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import type { Extremity, RoomHead } from './head.ts';

/** The heads of rooms in memory: what is decided and not yet committed included. */
export interface RoomHeads {
  /** The newest head, if it is in memory. */
  current(roomNid: number): RoomHead | undefined;
  load(roomNid: number): Promise<RoomHead | undefined>;
  /** The head to decide on while nobody else can commit: as it is committed, with what was decided in this turn. */
  inTurn(turn: Turn, roomNid: number): Promise<RoomHead | undefined>;
  /** Makes `head` the newest while what was decided on the way to it is being committed. */
  advance(head: RoomHead, turn?: Turn): void;
  settle(roomNid: number): void;
  /** Forgets what descends from a head whose commit failed; the next decision starts from the database. */
  drop(roomNid: number, lineage: number): void;
}

type Slot = { head: RoomHead | undefined; pending: number };

type Options = {
  readonly db: Database;
  readonly states: StateStore;
  /** Heads kept in memory, besides those with commits under way. */
  readonly maxHeads?: number;
};

export function createRoomHeads({ db, states, maxHeads = 10_000 }: Options): RoomHeads {
  const slots = new Map<number, Slot>();
  const loads = new Map<number, Promise<RoomHead | undefined>>();
  const turns = new WeakMap<Turn, Map<number, RoomHead>>();
  let lineage = 0;

  function slotOf(roomNid: number): Slot {
    let slot = slots.get(roomNid);
    if (slot === undefined) {
      slot = { head: undefined, pending: 0 };
      slots.set(roomNid, slot);
      evict();
    }
    return slot;
  }

  function evict(): void {
    if (slots.size <= maxHeads) return;
    for (const [roomNid, slot] of slots) {
      if (slot.pending === 0) slots.delete(roomNid);
      if (slots.size <= maxHeads) return;
    }
  }

  async function extremitiesOf(row: RoomRow): Promise<Extremity[]> {
    const rows = JSON.parse(row.extremities) as readonly ExtremityRow[];
    const roots = await states.roots(rows.map(([, root]) => root)).run();
    return rows.map(([eventId, , server = ''], index) => ({ eventId, server, state: roots[index] as StateRoot }));
  }

  async function readHead(roomNid: number): Promise<RoomHead | undefined> {
    const row = await findRoom(db, roomNid);
    if (row === undefined) return undefined;
    const [state, extremities] = await Promise.all([states.root(row.state_root).run(), extremitiesOf(row)]);
    return headOfRow(row, state, extremities, ++lineage);
  }

  async function loadNow(roomNid: number): Promise<RoomHead | undefined> {
    try {
      const head = await readHead(roomNid);
      if (head === undefined) return undefined;
      const slot = slotOf(roomNid);
      slot.head ??= head;
      return slot.head;
    } finally {
      loads.delete(roomNid);
    }
  }

  /** Another process moved a head: what this one has is of no use as a base, unless it has gone further itself. */
  function noteMoved(moved: string): void {
    const [roomNid, version] = moved.split(' ').map(Number);
    const slot = roomNid === undefined ? undefined : slots.get(roomNid);
    if (slot?.head !== undefined && version !== undefined && slot.head.version < version) slot.head = undefined;
  }

  /** What was redacted of a room's state was looked up when it was whole. */
  function noteRedacted(roomNid: number): void {
    const slot = slots.get(roomNid);
    if (slot?.head !== undefined) slot.head = { ...slot.head, known: new Map() };
  }

  db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind === 'head') noteMoved(String(key));
        else if (kind === 'redacted-state') noteRedacted(Number(key));
      }
    }
  });

  return {
    current(roomNid) {
      const slot = slots.get(roomNid);
      if (slot?.head === undefined) return undefined;
      slots.delete(roomNid);
      slots.set(roomNid, slot);
      return slot.head;
    },
    load(roomNid) {
      let load = loads.get(roomNid);
      if (load === undefined) {
        load = loadNow(roomNid);
        loads.set(roomNid, load);
      }
      return load;
    },
    async inTurn(turn, roomNid) {
      let heads = turns.get(turn);
      if (heads === undefined) turns.set(turn, (heads = new Map()));
      const known = heads.get(roomNid) ?? (await readHead(roomNid));
      if (known !== undefined) heads.set(roomNid, known);
      return known;
    },
    advance(head, turn) {
      if (turn !== undefined) turns.get(turn)?.set(head.roomNid, head);
      const slot = slotOf(head.roomNid);
      slot.head = head;
      slot.pending += 1;
    },
    settle(roomNid) {
      const slot = slots.get(roomNid);
      if (slot !== undefined) slot.pending -= 1;
    },
    drop(roomNid, failed) {
      const slot = slots.get(roomNid);
      if (slot?.head?.lineage === failed) slot.head = undefined;
    },
  };
}

function headOfRow(row: RoomRow, state: StateRoot, extremities: readonly Extremity[], lineage: number): RoomHead {
  const rules = findRoomVersion(row.room_version);
  if (rules === undefined) throw new Error(`room ${row.room_id} has the unknown version ${row.room_version}`);
  return {
    roomNid: row.room_nid,
    roomId: row.room_id,
    rules,
    createEventNid: row.create_event_nid,
    version: row.head_version,
    lineage,
    extremities,
    state,
    differing: 0,
    maxDepth: row.max_depth,
    lastEventNid: row.last_event_nid,
    ordinal: row.ordinal,
    joinedCount: row.joined_count,
    invitedCount: row.invited_count,
    isActivity: false,
    known: new Map(),
  };
}
