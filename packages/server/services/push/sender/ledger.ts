import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  claimPusher,
  type DeliveryRow,
  movePusherOn,
  type PushLease,
  setPusherFailed,
} from '@portico/storage/stores/push/push-deliveries.ts';
import { type PusherKey, removePusher } from '@portico/storage/stores/push/pushers.ts';
import { isGuardFailure } from '../../accounts/guards.ts';
import { gatewayTimeout } from './gateway.ts';

/** Writes down how far pushers have got, for this process or another one to go on from. */
export interface Ledger {
  /** Keeps other processes away while something is sent. */
  claim(row: DeliveryRow): Promise<DeliveryRow>;
  /** Everything up to `to` has been dealt with. */
  moveOn(row: DeliveryRow, to: number, badge: number, notBefore?: number): Promise<DeliveryRow>;
  /** `last`: up to where things are given up if this has gone on for too long. */
  noteFailure(row: DeliveryRow, last: number, reason: string): Promise<{ readonly retryAt: number }>;
  remove(row: DeliveryRow): Promise<void>;
}

export type LedgerDependencies = {
  readonly db: Database;
  /** This process, among those that share the database. */
  readonly process: string;
  readonly isShared: boolean;
  readonly log: { info(details: object, message: string): void };
  readonly now: () => number;
  readonly random: () => number;
};

const leaseTime = 60_000;
const shortestWait = 1000;
const longestWait = 60 * 60_000;
/** What a device that has been out of reach for longer has missed is not told any more. */
const patience = 24 * 60 * 60_000;

export function createLedger({ db, process, isShared, log, now, random }: LedgerDependencies): Ledger {
  const lease = (): PushLease => ({ process, until: now() + leaseTime, now: now() });

  async function commit(append: (set: WriteSet) => void): Promise<void> {
    const set = createWriteSet();
    append(set);
    await db.commit(set);
  }

  return {
    async claim(row) {
      const isHeld = row.process === process && row.lease_until > now() + 2 * gatewayTimeout;
      if (!isShared || isHeld) return row;
      const held = lease();
      await commit((set) => claimPusher(set, keyOf(row), row.position, held));
      return { ...row, process, lease_until: held.until };
    },
    async moveOn(row, to, badge, notBefore = 0) {
      const held = lease();
      await commit((set) => movePusherOn(set, keyOf(row), { from: row.position, to, badge, notBefore }, held));
      const settled = { failures: 0, failing_since: 0, retry_at: notBefore };
      return { ...row, ...settled, position: to, badge, process, lease_until: held.until };
    },
    async noteFailure(row, last, reason) {
      const failures = row.failures + 1;
      const failingSince = row.failing_since === 0 ? now() : row.failing_since;
      const delay = Math.min(shortestWait * 2 ** Math.min(failures - 1, 20), longestWait);
      // Not all pushers of a gateway that is down at the same moment.
      const retryAt = Math.round(now() + delay * (1 + random() / 4));
      const isGivenUp = now() - failingSince > patience;
      const to = isGivenUp ? last : row.position;
      const { user_id: userId, app_id: appId } = row;
      log.info({ userId, appId, failures, delay, reason }, 'A notification could not be sent');
      const failure = { from: row.position, to, failures, failingSince, retryAt, process };
      await commit((set) => setPusherFailed(set, keyOf(row), failure));
      return { retryAt };
    },
    remove: (row) => commit((set) => removePusher(set, keyOf(row))),
  };
}

/** Whether another process was faster, or the owner has taken the pusher away. */
export function wasTaken(error: unknown): boolean {
  return isGuardFailure(error, 'pusher.claimed');
}

export function keyOf({ user_id: userId, app_id: appId, pushkey }: DeliveryRow): PusherKey {
  return { userId, appId, pushkey };
}
