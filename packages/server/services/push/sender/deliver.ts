import { isJsonObject, parseJson } from '@portico/protocol';
import {
  countsNotification,
  eventNotification,
  type PushCounts,
  type PushDevice,
} from '@portico/protocol/push/notification.ts';
import { parseGatewayUrl } from '@portico/protocol/push/pusher.ts';
import type { DeliveryRow } from '@portico/storage/stores/push/push-deliveries.ts';
import { type QueuedRow, readQueued } from '@portico/storage/stores/push/push-queue.ts';
import { OutboundError } from '../../outbound/outbound-error.ts';
import { type Gateway, GatewayError } from './gateway.ts';
import { type JudgeDependencies, judgeQueued, type Wanted } from './judge-queued.ts';
import { keyOf, type Ledger, wasTaken } from './ledger.ts';
import { pushCounts } from './push-counts.ts';
import type { PushNames } from './push-names.ts';

export type PushOutcome = 'sent' | 'failed' | 'rejected';

export type DeliverDependencies = JudgeDependencies & {
  readonly gateway: Gateway;
  readonly names: PushNames;
  readonly ledger: Ledger;
  readonly log: { info(details: object, message: string): void };
  readonly now: () => number;
  readonly observe?: ((outcome: PushOutcome, what: 'event' | 'counts') => void) | undefined;
};

/**
 * Tells a pusher, one after the other, of all that there is for it. Returns when there is nothing left, or somebody else is
 * at it, or the time at which to try again after a failure.
 */
export type Deliver = (row: DeliveryRow, signal: AbortSignal) => Promise<{ readonly retryAt: number } | undefined>;

const atOnce = 50;

export function createDeliver(deps: DeliverDependencies): Deliver {
  const { db, gateway, names, log, now, observe, ledger } = deps;

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
      return { kind: 'moved', row: await ledger.moveOn(at, position, row.badge), isLast };
    }
    const held = await ledger.claim(at);
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
        await ledger.remove(row);
        return { kind: 'ended' };
      }
    } catch (error) {
      if (!(error instanceof OutboundError) && !(error instanceof GatewayError)) throw error;
      if (signal.aborted) return { kind: 'ended' };
      observe?.('failed', what);
      return { kind: 'failed', ...(await ledger.noteFailure(held, last.position, error.message)) };
    }
    return { kind: 'moved', row: await ledger.moveOn(held, position, counts.unread), isLast };
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
        if (sent.kind === 'empty' && row.retry_at > 0) await ledger.moveOn(row, row.position, row.badge);
        if (sent.kind !== 'moved' || sent.isLast) return undefined;
        row = sent.row;
      }
    } catch (error) {
      if (!wasTaken(error)) throw error;
    }
    return undefined;
  };
}

type Sent =
  | { readonly kind: 'empty' | 'ended' }
  | { readonly kind: 'failed'; readonly retryAt: number }
  /** `isLast`: there was nothing more when the queue was read. */
  | { readonly kind: 'moved'; readonly row: DeliveryRow; readonly isLast: boolean };

function deviceOf({ app_id: appId, pushkey, set_at: setAt, data }: DeliveryRow): PushDevice {
  const parsed = parseJson(data);
  return { appId, pushkey, setAt, data: isJsonObject(parsed) ? parsed : {} };
}

export function gatewayUrlOf({ data }: DeliveryRow): URL | undefined {
  const parsed = parseJson(data);
  const url = isJsonObject(parsed) ? parsed['url'] : undefined;
  return typeof url === 'string' ? parseGatewayUrl(url) : undefined;
}
