import type { JsonObject } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { findBlocked } from '@portico/storage/stores/rooms/blocked-rooms.ts';
import type { SteppedJobKind } from '../../accounts/account-jobs.ts';
import { joinContent } from '../../rooms/membership/join.ts';
import type { RemoteRooms } from '../../rooms/remote-rooms.ts';
import { parseUnsettledJoin } from './joins-under-way.ts';

type Dependencies = {
  readonly db: Reader;
  readonly remote: () => RemoteRooms | undefined;
  readonly profileOf: (userId: string) => Promise<JsonObject>;
  /** With which people leave whose account has ended. */
  readonly departure: JsonObject;
};

const firstDelay = 10_000;
const longestDelay = 60 * 60_000;
/** A server that is out of reach for some days may never come back. */
const maxAttempts = 100;

/**
 * Brings joins to their end that another server may have taken while this one does not know it: whoever wanted in, and was not
 * told otherwise, comes in, unless the room has been blocked meanwhile; everybody else leaves again over there.
 */
export function settleJoins({ db, remote, profileOf, departure }: Dependencies): SteppedJobKind {
  return {
    async work(userId, { details, attempts }) {
      const join = parseUnsettledJoin(details);
      const servers = remote();
      if (join === undefined || servers === undefined) return true;
      const account = await findAccount(db, userId);
      const isBlocked = (await findBlocked(db, join.roomId)) !== undefined;
      const hasEnded = account === undefined || account.deactivated_at !== null;
      const isSettled = await servers.settleJoin({
        userId,
        roomId: join.roomId,
        asked: join.asked,
        content: hasEnded ? {} : joinContent({ profile: await profileOf(userId), reason: undefined, extra: {} }),
        leaveWith: hasEnded ? departure : join.isGivenUp || isBlocked ? {} : undefined,
      });
      if (isSettled || attempts >= maxAttempts) return true;
      return { againIn: Math.min(firstDelay * 2 ** attempts, longestDelay) };
    },
  };
}
