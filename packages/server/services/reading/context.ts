import type { Database } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import type { Access } from './access.ts';
import type { InviteRules } from '../privacy/invite-rules.ts';
import type { IgnoredUsers } from './ignored-users.ts';
import type { RoomNames } from './room-names.ts';
import type { Visibility } from './visibility.ts';

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
};

/** Who reads, and on which device. */
export type Requester = { readonly userId: string; readonly deviceId: string };
