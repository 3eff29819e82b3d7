import type { Change } from '@portico/storage';
import { movedMemberOf } from '@portico/storage/stores/rooms/moved-member.ts';

/** Rooms that are known to have people of this server only: nobody needs to be found for what happens there. */
export interface LonelyRooms {
  has(roomNid: number): boolean;
  /** Something was committed: perhaps somebody came or went. */
  note(changes: readonly Change[]): void;
  /** It is no longer known who came and went. */
  forget(): void;
  /** To be called before the servers of rooms are read; and what it returns with those rooms that turned out to have no others. */
  look(): (roomNids: Iterable<number>) => void;
}

export function createLonelyRooms(maxRooms: number): LonelyRooms {
  const lonely = new Set<number>();
  let moved = new Set<number>();
  let looks = 0;

  return {
    has: (roomNid) => lonely.has(roomNid),
    note(changes) {
      for (const change of changes) {
        const member = movedMemberOf(change);
        if (member === undefined) continue;
        lonely.delete(member.roomNid);
        moved.add(member.roomNid);
      }
    },
    forget() {
      lonely.clear();
      looks++;
    },
    look() {
      moved = new Set();
      const look = ++looks;
      return (roomNids) => {
        if (look !== looks) return;
        for (const roomNid of roomNids) {
          // Who came while that was read may be missing in it.
          if (moved.has(roomNid)) continue;
          if (lonely.size >= maxRooms) lonely.clear();
          lonely.add(roomNid);
        }
      };
    },
  };
}
