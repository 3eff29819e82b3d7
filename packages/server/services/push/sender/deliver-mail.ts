import type { Database } from '@portico/storage';
import type { DeliveryRow } from '@portico/storage/stores/push/push-deliveries.ts';
import { type QueuedRow, readQueued } from '@portico/storage/stores/push/push-queue.ts';
import { findThirdPartyOwner } from '@portico/storage/stores/accounts/third-party-ids.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Mailer } from '../../mail/mailer.ts';
import type { Unsubscribe } from '../unsubscribe.ts';
import type { Deliver } from './deliver.ts';
import { type JudgeDependencies, judgeQueued, readMuting, type Wanted } from './judge-queued.ts';
import { keyOf, type Ledger, wasTaken } from './ledger.ts';
import { notificationMail, type RoomNews } from './notification-mail.ts';
import type { PushNames } from './push-names.ts';

type Dependencies = JudgeDependencies & {
  readonly db: Database;
  readonly mailer: Mailer;
  readonly names: PushNames;
  readonly ledger: Ledger;
  readonly unsubscribe: Unsubscribe;
  readonly serverName: string;
  readonly now: () => number;
};

/** So long people have to read something before they are written to about it, with all that comes in the meantime. */
const firstDelay = 10 * 60_000;
/** Nobody is written to more often. */
const between = 60 * 60_000;
const atOnce = 200;

/** Writes people email about what they have left unread. */
export function createDeliverMail(deps: Dependencies): Deliver {
  const { db, mailer, names, ledger, unsubscribe, serverName, now } = deps;

  async function newsOf(userId: string, wanted: readonly Wanted[]): Promise<readonly RoomNews[]> {
    const named = await Promise.all(
      wanted.map(async ({ row, isInvite }) => {
        const { event_nid: eventNid, room_nid: roomNid, sender } = row;
        const found = await (isInvite
          ? names.ofInvite({ roomNid, userId, sender })
          : names.ofEvent({ eventNid, roomNid, sender }));
        return { roomNid, isInvite, sender, name: found.senderName, room: found.roomName ?? found.roomAlias };
      }),
    );
    return [...Map.groupBy(named, ({ roomNid }) => roomNid).values()].map((events) => ({
      room: events[0]?.room,
      isInvite: events.some(({ isInvite }) => isInvite),
      senders: Array.from(new Map(events.map(({ sender, name }) => [sender, name])), ([id, name]) => ({
        userId: id,
        name,
      })),
      count: events.length,
    }));
  }

  /** What is wanted now, a while after it was queued: it may have been read meanwhile, or the room muted. */
  async function findWanted(userId: string, queued: readonly QueuedRow[]): Promise<readonly Wanted[]> {
    const wanted: Wanted[] = [];
    const isMuted = await readMuting(db, userId);
    for (const each of queued) {
      const judged = each.event_nid === 0 ? undefined : await judgeQueued(deps, userId, each);
      if (judged !== undefined && !isMuted(judged)) wanted.push(judged);
    }
    return wanted;
  }

  async function deliver(row: DeliveryRow, signal: AbortSignal): ReturnType<Deliver> {
    const { user_id: userId, pushkey: address } = row;
    const newest = db.currentPosition();
    const queued = await readQueued(db, keyOf(row), atOnce);
    const last = queued.at(-1);
    if (last === undefined) {
      if (row.retry_at > 0) await ledger.moveOn(row, row.position, row.badge);
      return undefined;
    }
    const at = { ...row, position: last.reached };
    const wanted = await findWanted(userId, queued);
    const isAll = queued.length < atOnce;
    if (wanted.length === 0) {
      const goesOn = isAll ? 0 : now() + 1;
      await ledger.moveOn(at, last.position, row.badge, goesOn);
      return isAll ? undefined : { retryAt: goesOn };
    }
    // The time begins with what is there first.
    if (row.retry_at === 0) {
      const retryAt = now() + firstDelay;
      await ledger.moveOn(at, at.position, row.badge, retryAt);
      return { retryAt };
    }
    if ((await findThirdPartyOwner(db, 'email', address)) !== userId) {
      await ledger.remove(row);
      return undefined;
    }
    const held = await ledger.claim(at);
    const link = unsubscribe.link(userId, address);
    const content = notificationMail(serverName, userId, await newsOf(userId, wanted), link);
    try {
      await mailer.send({ to: address, content }, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof MatrixError)) throw error;
      // What is refused for good is not tried again; what comes later may fare better.
      if (error.reason !== 'mail.refused') return ledger.noteFailure(held, last.position, error.message);
    }
    const retryAt = now() + between;
    // Of so much nobody wants to be told one by one.
    await ledger.moveOn(held, isAll ? last.position : newest, row.badge, retryAt);
    return { retryAt };
  }

  return async (row, signal) => {
    try {
      return await deliver(row, signal);
    } catch (error) {
      if (!wasTaken(error)) throw error;
      return undefined;
    }
  };
}
