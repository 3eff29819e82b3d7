import { isJsonObject, type JsonObject, parseJson, parseServerName } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { listAccountJobKinds, startAccountJob } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import type { RemoteRooms, UntoldLeave } from '../rooms/remote-rooms.ts';
import type { SteppedJobKind } from './account-jobs.ts';

/** The job that tells another server that somebody has declined its invitation for good, or knocks no more; followed by the room's ID. */
export const tellLeaveJob = 'tell-leave';

const firstDelay = 5_000;
const longestDelay = 60 * 60_000;
/** Two days, about: a server that is out of reach for longer may never come back. */
const maxAttempts = 56;
/** Of one person. Anybody can invite people from many servers that nobody can reach. */
const mostJobs = 20;

type Dependencies = {
  readonly departure: JsonObject;
  readonly remote: () => RemoteRooms | undefined;
};

/**
 * Who is gone for good comes back into no room, so that it is never too late to say so. Elsewhere they would be shown as
 * invited for as long as the room is there.
 */
export function tellLeave({ departure, remote }: Dependencies): SteppedJobKind {
  return {
    async work(userId, { details, attempts }) {
      const leave = parseUntoldLeave(details);
      const servers = remote();
      if (leave === undefined || servers === undefined) return true;
      const isTold = await servers.tellLeave({ ...leave, userId, content: departure });
      if (isTold || attempts >= maxAttempts) return true;
      return { againIn: Math.min(firstDelay * 2 ** attempts, longestDelay) };
    },
  };
}

/** Has it told later. */
export async function startTellingLeave(
  db: Database,
  now: () => number,
  userId: string,
  { roomId, servers }: UntoldLeave,
): Promise<void> {
  const kinds = await listAccountJobKinds(db, userId);
  if (kinds.filter((kind) => kind.startsWith(`${tellLeaveJob} `)).length >= mostJobs) return;
  const set = createWriteSet();
  startAccountJob(set, userId, `${tellLeaveJob} ${roomId}`, now() + firstDelay, JSON.stringify({ roomId, servers }));
  await db.commit(set);
}

function parseUntoldLeave(details: string | null): UntoldLeave | undefined {
  const value = parseJson(details ?? '');
  if (!isJsonObject(value)) return undefined;
  const { roomId, servers } = value;
  if (typeof roomId !== 'string' || !Array.isArray(servers)) return undefined;
  const names = servers.map((name) => (typeof name === 'string' ? parseServerName(name) : undefined));
  return { roomId, servers: names.filter((name) => name !== undefined) };
}
