import type { RoomVersionRules } from '@portico/protocol';
import type { Database, WriteSet } from '@portico/storage';
import { emptyState } from '@portico/storage/state-trie/index.ts';
import type { Draft } from './draft.ts';
import type { RoomHead } from './head.ts';
import type { RoomStarter } from './writer.ts';

export interface NewRooms {
  /** Creates a room from its first events, the create event first, and returns its ID. */
  create(
    rules: RoomVersionRules,
    drafts: readonly Draft[],
    alongside: (set: WriteSet, roomNid: number) => void,
  ): Promise<string>;
}

type Options = {
  readonly db: Database;
  readonly start: RoomStarter;
  readonly serverName: string;
  /** Makes the random part of a room ID. */
  readonly randomId: () => string;
};

export function createNewRooms({ db, start, serverName, randomId }: Options): NewRooms {
  return {
    async create(rules, drafts, alongside) {
      const roomNid = await db.reserveIds('room', 1);
      const roomId = rules.event.roomId === 'create-event' ? '' : `!${randomId()}:${serverName}`;
      const started = await start(headOfNothing(roomNid, roomId, rules), drafts, (set) => alongside(set, roomNid));
      return started.roomId;
    },
  };
}

/** The head of a room that has no events yet. Its first write set makes version 1. */
function headOfNothing(roomNid: number, roomId: string, rules: RoomVersionRules): RoomHead {
  return {
    roomNid,
    roomId,
    rules,
    createEventNid: 0,
    version: 0,
    lineage: 0,
    extremities: [],
    state: emptyState,
    maxDepth: 0,
    lastEventNid: 0,
    ordinal: 0,
    joinedCount: 0,
    invitedCount: 0,
    known: new Map(),
  };
}
