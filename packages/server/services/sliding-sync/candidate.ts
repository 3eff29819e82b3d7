import type { DepartedRoomRow } from '@portico/storage/stores/rooms/removed-rooms.ts';
import type { UserRoom } from '../sync/online-index.ts';

/** A room that may be in lists: one that the user is in, may come into, or was put out of. */
export type Candidate = {
  readonly nid: number;
  readonly id: string;
  readonly membership: 'join' | 'invite' | 'knock' | 'leave';
  /** The later something happened in it, the more. */
  readonly activity: number;
  /** Of the user's own membership. */
  readonly position: number;
  /** Only if they are not out of it. */
  readonly entry: UserRoom | undefined;
  readonly departed: DepartedRoomRow | undefined;
  /** Whether it is shown once more, and then no longer is in any list. */
  readonly isLast: boolean;
};
