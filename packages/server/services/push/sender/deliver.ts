import { isJsonObject, parseJson } from '@portico/protocol';
import {
  countsNotification,
  eventNotification,
  type PushCounts,
  type PushDevice,
} from '@portico/protocol/push/notification.ts';
import { parseGatewayUrl } from '@portico/protocol/push/pusher.ts';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  claimPusher,
  type DeliveryRow,
  movePusherOn,
  type PushLease,
  setPusherFailed,
} from '@portico/storage/stores/push-deliveries.ts';
import { type QueuedRow, readQueued } from '@portico/storage/stores/push-queue.ts';
import { type PusherKey, removePusher } from '@portico/storage/stores/pushers.ts';
import { isGuardFailure } from '../../accounts/guards.ts';
import { OutboundError } from '../../outbound/outbound-error.ts';
import { type Gateway, GatewayError, gatewayTimeout } from './gateway.ts';
import { type JudgeDependencies, judgeQueued, type Wanted } from './judge-queued.ts';
import { pushCounts } from './push-counts.ts';
import type { PushNames } from './push-names.ts';

export type PushOutcome = 'sent' | 'failed' | 'rejected';

export type DeliverDependencies = JudgeDependencies & {
  readonly db: Database;
  readonly gateway: Gateway;
  readonly names: PushNames;
  /** This process, among those that share the database. */
  readonly process: string;
  readonly isShared: boolean;
  readonly log: { info(details: object, message: string): void };
  readonly now: () => number;
  readonly random: () => number;
  readonly observe?: ((outcome: PushOutcome, what: 'event' | 'counts') => void) | undefined;
};

/**
 * Tells a pusher, one after the other, of all that there is for it. Returns when there is nothing left, or somebody else is
 * at it, or the time at which to try again after a failure.
 */
export type Deliver = (row: DeliveryRow, signal: AbortSignal) => Promise<{ readonly retryAt: number } | undefined>;

const atOnce = 50;
const leaseTime = 60_000;
const shortestWait = 1000;
const longestWait = 60 * 60_000;
/** What a device that has been out of reach for longer has missed is not told any more. */
const patience = 24 * 60 * 60_000;

export function createDeliver(deps: DeliverDependencies): Deliver {
  const { db, gateway, names, process, isShared, log, now, random, observe } = deps;

  const lease = (): PushLease => ({ process, until: now() + leaseTime, now: now() });

  async function commit(append: (set: WriteSet) => void): Promise<void> {
    const set = createWriteSet();
    append(set);
    await db.commit(set);
  }

  async function claim(row: DeliveryRow): Promise<DeliveryRow> {
    const isHeld = row.process === process && row.lease_until > now() + 2 * gatewayTimeout;
    if (!isShared || isHeld) return row;
    const held = lease();
    await commit((set) => claimPusher(set, keyOf(row), row.position, held));
    return { ...row, process, lease_until: held.until };
  }

  async function moveOn(row: DeliveryRow, to: number, badge: number): Promise<DeliveryRow> {
    const held = lease();
    await commit((set) => movePusherOn(set, keyOf(row), { from: row.position, to, badge }, held));
    const settled = { failures: 0, failing_since: 0, retry_at: 0 };
    return { ...row, ...settled, position: to, badge, process, lease_until: held.until };
  }

  async function bodyFor(row: DeliveryRow, { row: event, isInvite, actions }: Wanted, counts: PushCounts) {
    const { user_id: userId } = row;
    const { event_nid: eventNid, room_nid: roomNid, sender } = event;
    const named = await (isInvite
      ? names.ofInvite({ roomNid, userId, sender })
      : names.ofEvent({ eventNid, roomNid, sender }));
    const pushed = {
      eventId: event.event_id,
      roomId: event.room_id,
      type: event.type,
      stateKey: event.state_key ?? undefined,
      sender,
      content: event.content,
      ...named,
    };
    return eventNotification(pushed, { userId, actions }, deviceOf(row), counts);
  }

  async function noteFailure(row: DeliveryRow, last: number, reason: string): Promise<{ readonly retryAt: number }> {
    const failures = row.failures + 1;
    const failingSince = row.failing_since === 0 ? now() : row.failing_since;
    const delay = Math.min(shortestWait * 2 ** Math.min(failures - 1, 20), longestWait);
    // Not all pushers of a gateway that is down at the same moment.
    const retryAt = Math.round(now() + delay * (1 + random() / 4));
    const isGivenUp = now() - failingSince > patience;
    const to = isGivenUp ? last : row.position;
    log.info(
      { userId: row.user_id, appId: row.app_id, failures, delay, reason },
      'A push gateway took no notification',
    );
    const failure = { from: row.position, to, failures, failingSince, retryAt, process };
    await commit((set) => setPusherFailed(set, keyOf(row), failure));
    return { retryAt };
  }

  /** The first events that are still wanted; those of one position go together. */
  async function findWanted(userId: string, queued: readonly QueuedRow[]): Promise<readonly Wanted[]> {
    const wanted: Wanted[] = [];
    for (const row of queued) {
      if (wanted[0] !== undefined && row.position !== wanted[0].row.position) break;
      const judged = row.event_nid === 0 ? undefined : await judgeQueued(deps, userId, row);
      if (judged !== undefined) wanted.push(judged);
    }
    return wanted;
  }

  async function send(row: DeliveryRow, url: URL, signal: AbortSignal): Promise<Sent> {
    const queued = await readQueued(db, keyOf(row), atOnce);
    const last = queued.at(-1);
    if (last === undefined) return { kind: 'empty' };
    const at = { ...row, position: last.reached };
    const wanted = await findWanted(row.user_id, queued);
    const position = wanted[0]?.row.position ?? last.position;
    const isLast = position === last.position && queued.length < atOnce;
    const hasRead = queued.some((each) => each.event_nid === 0);
    const counts = wanted.length > 0 || hasRead ? await pushCounts(db, row.user_id, now()) : undefined;
    // A device that was never told a number shows none.
    if (counts === undefined || (wanted.length === 0 && counts.unread === Math.max(0, row.badge))) {
      return { kind: 'moved', row: await moveOn(at, position, row.badge), isLast };
    }
    const held = await claim(at);
    const what = wanted.length === 0 ? 'counts' : 'event';
    const bodies =
      what === 'counts'
        ? [countsNotification(deviceOf(row), counts)]
        : await Promise.all(wanted.map((each) => bodyFor(row, each, counts)));
    try {
      for (const body of bodies) {
        const answer = await gateway.notify(url, row.pushkey, body, signal);
        observe?.(answer === 'rejected' ? 'rejected' : 'sent', what);
        if (answer === 'accepted') continue;
        log.info({ userId: row.user_id, appId: row.app_id }, 'A push gateway knows a device no more');
        await commit((set) => removePusher(set, keyOf(row)));
        return { kind: 'ended' };
      }
    } catch (error) {
      if (!(error instanceof OutboundError) && !(error instanceof GatewayError)) throw error;
      if (signal.aborted) return { kind: 'ended' };
      observe?.('failed', what);
      return { kind: 'failed', ...(await noteFailure(held, last.position, error.message)) };
    }
    return { kind: 'moved', row: await moveOn(held, position, counts.unread), isLast };
  }

  return async (first, signal) => {
    const url = gatewayUrlOf(first);
    if (url === undefined) return undefined;
    let row = first;
    try {
      while (!signal.aborted) {
        const sent = await send(row, url, signal);
        if (sent.kind === 'failed') return { retryAt: sent.retryAt };
        // What was to be tried again is for nobody any more.
        if (sent.kind === 'empty' && row.retry_at > 0) await moveOn(row, row.position, row.badge);
        if (sent.kind !== 'moved' || sent.isLast) return undefined;
        row = sent.row;
      }
    } catch (error) {
      // Another process was faster, or the owner has taken the pusher away.
      if (!isGuardFailure(error, 'pusher.claimed')) throw error;
    }
    return undefined;
  };
}

type Sent =
  | { readonly kind: 'empty' | 'ended' }
  | { readonly kind: 'failed'; readonly retryAt: number }
  /** `isLast`: there was nothing more when the queue was read. */
  | { readonly kind: 'moved'; readonly row: DeliveryRow; readonly isLast: boolean };

function keyOf({ user_id: userId, app_id: appId, pushkey }: DeliveryRow): PusherKey {
  return { userId, appId, pushkey };
}

function deviceOf({ app_id: appId, pushkey, set_at: setAt, data }: DeliveryRow): PushDevice {
  const parsed = parseJson(data);
  return { appId, pushkey, setAt, data: isJsonObject(parsed) ? parsed : {} };
}

export function gatewayUrlOf({ data }: DeliveryRow): URL | undefined {
  const parsed = parseJson(data);
  const url = isJsonObject(parsed) ? parsed['url'] : undefined;
  return typeof url === 'string' ? parseGatewayUrl(url) : undefined;
}
