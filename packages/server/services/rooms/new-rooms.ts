import type { RoomVersionRules } from '@portico/protocol';
import { type Database, StorageError, type WriteSet } from '@portico/storage';
import { emptyState } from '@portico/storage/state-trie/index.ts';
import type { Draft } from './draft.ts';
import type { RoomHead } from './head.ts';
import type { RoomStarts } from './writer.ts';

/** A room that does not exist yet. Its ID is '' where the create event will make it. */
export type PlannedRoom = { readonly roomNid: number; readonly roomId: string; readonly rules: RoomVersionRules };

export interface NewRooms {
  plan(rules: RoomVersionRules): Promise<PlannedRoom>;
  /** Refuses as `create` would, and writes nothing. */
  rehearse(planned: PlannedRoom, drafts: readonly Draft[]): Promise<void>;
  /** Creates a room from its first events, the create event first, and returns its ID. */
  create(
    planned: PlannedRoom,
    drafts: readonly Draft[],
    alongside: (set: WriteSet, roomNid: number) => void,
  ): Promise<string>;
}

type Options = {
  readonly db: Database;
  readonly starts: RoomStarts;
  readonly serverName: string;
  /** Makes the random part of a room ID. */
  readonly randomId: () => string;
  readonly now: () => number;
};

/** How often a room is made again because another process made the same create event in the same millisecond. */
const maxTries = 5;

export function createNewRooms({ db, starts, serverName, randomId, now }: Options): NewRooms {
  let lastCreated = 0;

  /**
   * Where the create event makes the room ID, two rooms of one person with the same content would be one if they were made
   * at the same time: so no two are.
   */
  function atItsOwnTime([create, ...others]: readonly Draft[]): readonly Draft[] {
    if (create === undefined) return others;
    lastCreated = Math.max(now(), lastCreated + 1);
    return [{ ...create, originServerTs: create.originServerTs ?? lastCreated }, ...others];
  }

  return {
    async plan(rules) {
      const roomNid = await db.reserveIds('room', 1);
      const roomId = rules.event.roomId === 'create-event' ? '' : `!${randomId()}:${serverName}`;
      return { roomNid, roomId, rules };
    },
    rehearse: (planned, drafts) => starts.rehearse(headOfNothing(planned), drafts),
    async create(planned, drafts, alongside) {
      const { roomNid } = planned;
      for (let tries = 1; ; tries++) {
        try {
          const started = await starts.start(headOfNothing(planned), atItsOwnTime(drafts), (set) =>
            alongside(set, roomNid),
          );
          return started.roomId;
        } catch (error) {
          if (!(error instanceof StorageError) || error.guard !== 'room.taken' || tries === maxTries) throw error;
        }
      }
    },
  };
}

/** The head of a room that has no events yet. Its first write set makes version 1. */
function headOfNothing({ roomNid, roomId, rules }: PlannedRoom): RoomHead {
  return {
    roomNid,
    roomId,
    rules,
    createEventNid: 0,
    version: 0,
    lineage: 0,
    extremities: [],
    differing: 0,
    state: emptyState,
    maxDepth: 0,
    lastEventNid: 0,
    ordinal: 0,
    joinedCount: 0,
    invitedCount: 0,
    isActivity: false,
    known: new Map(),
  };
}
