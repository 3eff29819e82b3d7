import { isJsonObject, type JsonValue, parseJson, type ServerName } from '@portico/protocol';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { refuseDeactivated } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import {
  removeAccountJob,
  renewAccountJob,
  startAccountJob,
  startClaimedJob,
} from '@portico/storage/stores/accounts/accounts-jobs.ts';
import type { Logger } from '../../../observability/logger.ts';
import { FederationError } from '../client/federation-error.ts';

/*
 * Once another server has taken a join, the person is in the room, whatever becomes of the answer. So it is stored, before a
 * server is asked, that it was: what this process does not bring to its end, a job does.
 */

/** The job that sees to what has become of a join; followed by the ID of the room. */
export const joinJob = 'join';

/** What such a job has to know. */
export type UnsettledJoin = {
  readonly roomId: string;
  /** The servers that may have taken a join, with the ID of its event. */
  readonly asked: readonly (readonly [server: ServerName, eventId: string])[];
  /** Whether the person was told that they are not in the room. */
  readonly isGivenUp: boolean;
};

/** Of one person, into one room. */
export interface JoinUnderWay {
  /** To be awaited before a server is asked. */
  ask(server: ServerName, eventId: string): Promise<void>;
  /** A server has answered with an error. */
  failed(server: ServerName, error: unknown): void;
  /** Is committed with what makes the person a member here. */
  settle(set: WriteSet): void;
  /** Nothing comes of it; or something has. */
  end(isIn: boolean): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly randomId: () => string;
  readonly log: Logger;
};

/** After that without a sign of life, the process is taken for gone. */
const aliveFor = 60_000;
const renewEvery = 20_000;

export function beginJoin({ db, now, randomId, log }: Dependencies, userId: string, roomId: string): JoinUnderWay {
  const job = { userId, kind: `${joinJob} ${roomId}`, claim: randomId() };
  const asked = new Map<ServerName, string>();
  let timer: NodeJS.Timeout | undefined;
  let isSettled = false;

  async function commit(write: (set: WriteSet) => void): Promise<void> {
    const set = createWriteSet();
    write(set);
    await db.commit(set);
  }

  function details(isGivenUp: boolean): string {
    const join: UnsettledJoin = { roomId, asked: [...asked], isGivenUp };
    return JSON.stringify(join);
  }

  function renew(): void {
    commit((set) => renewAccountJob(set, job, now() + aliveFor)).catch((error: unknown) =>
      log.warn({ err: error, roomId }, 'It could not be stored that a join is still under way'),
    );
  }

  return {
    async ask(server, eventId) {
      asked.set(server, eventId);
      await commit((set) => {
        refuseDeactivated(set, userId);
        startClaimedJob(set, job, now() + aliveFor, details(false));
      });
      timer ??= setInterval(renew, renewEvery).unref();
    },
    failed(server, error) {
      if (hasNotTaken(error)) asked.delete(server);
    },
    settle(set) {
      removeAccountJob(set, userId, job.kind);
      isSettled = true;
    },
    async end(isIn) {
      clearInterval(timer);
      if (timer === undefined || (isIn && isSettled)) return;
      try {
        await commit((set) => {
          if (isIn || asked.size === 0) removeAccountJob(set, userId, job.kind);
          else startAccountJob(set, userId, job.kind, now(), details(true));
        });
      } catch (error) {
        // What is stored of it is found soon, and settled.
        log.warn({ err: error, roomId }, 'It could not be stored what has become of a join');
      }
    },
  };
}

/** A server that has refused, or was never reached, has let nobody in. */
function hasNotTaken(error: unknown): boolean {
  if (!(error instanceof FederationError)) return false;
  const { failure, refusal } = error;
  if (refusal !== undefined) return refusal.status >= 400 && refusal.status < 500;
  return failure === 'unknown-host' || failure === 'private-address' || failure === 'unreachable' || failure === 'busy';
}

export function parseUnsettledJoin(details: string | null): UnsettledJoin | undefined {
  const value: JsonValue | undefined = parseJson(details ?? '');
  return isJsonObject(value) ? (value as UnsettledJoin) : undefined;
}
