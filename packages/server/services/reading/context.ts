import type { Database } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import type { Access } from './access.ts';
import type { InviteRules } from '../privacy/invite-rules.ts';
import type { History } from './history.ts';
import type { ErasedSenders } from './erased-senders.ts';
import type { IgnoredUsers } from './ignored-users.ts';
import type { RoomNames } from './room-names.ts';
import type { Visibility } from './visibility.ts';
import type { WholeRooms } from './whole-rooms.ts';

/** What reading rooms takes. */
export type ReadingContext = {
  readonly db: Database;
  readonly states: StateStore;
  readonly now: () => number;
  readonly rooms: RoomNames;
  readonly access: Access;
  readonly visibility: Visibility;
  readonly ignored: IgnoredUsers;
  readonly inviteRules: InviteRules;
  readonly erasedSenders: ErasedSenders;
  readonly wholeRooms: WholeRooms;
};

/** The same for who may read on where this server's own knowledge ends. */
export type HistoryContext = ReadingContext & { readonly history: History };

/** Who reads, and on which device. */
export type Requester = { readonly userId: string; readonly deviceId: string };
