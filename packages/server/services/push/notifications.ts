import { MatrixError } from '../../errors/matrix-error.ts';
import { ORDER_PER_POSITION } from '@portico/storage/stores/events/event-row.ts';
import { readCandidates, readJoinPositions } from '@portico/storage/stores/push/notified-events.ts';
import type { ReadState } from '../rooms/read-state.ts';
import { noRedactions, renderEvent } from '../reading/client-event.ts';
import type { ReadingContext, Requester } from '../reading/context.ts';
import { createJudge, type Notified } from './notified-events.ts';
import { readNotifiedInvites } from './notified-invites.ts';

export type NotificationsRequest = {
  readonly from: string | undefined;
  readonly limit: number | undefined;
  readonly only: string | undefined;
};

/**
 * The events that somebody has been, or would have been, notified about, by the rules that they have now.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3notifications}
 */
export interface Notifications {
  /** The answer as JSON text. */
  list(requester: Requester, request: NotificationsRequest): Promise<string>;
}

type Dependencies = { readonly reading: ReadingContext; readonly readState: ReadState };

const defaultLimit = 50;
const maxLimit = 200;
/** Events that are tried for one page; if too few of them notify, the page is short, and the next one goes on. */
const mostTried = 3000;
const triedAtOnce = 500;
/** Positions that are looked through at first, and how many more each time when there is little. */
const firstSpan = 500;
const growth = 4;

export function createNotifications({ reading, readState }: Dependencies): Notifications {
  const { db, now } = reading;

  async function find(userId: string, before: number, limit: number, onlyHighlights: boolean) {
    const [joined, judge] = await Promise.all([
      readJoinPositions(db.long, userId),
      createJudge({ reading, readState }, userId),
    ]);
    const found: Notified[] = [];
    let [end, span, tried] = [before, firstSpan, 0];
    while (end > 0 && tried < mostTried && found.length <= limit) {
      const from = Math.max(0, end - span * ORDER_PER_POSITION);
      const rows = await readCandidates(db.long, userId, { from, before: end, limit: triedAtOnce });
      const since = rows.filter((row) => row.room_order > (joined.get(row.room_nid) ?? 0) * ORDER_PER_POSITION);
      const reached = rows.length === triedAtOnce ? (rows.at(-1)?.room_order ?? 0) : from;
      const [events, invites] = await Promise.all([
        judge(since),
        readNotifiedInvites(reading, userId, { from: reached, before: end }),
      ]);
      const notified = [...events, ...invites].toSorted((a, b) => b.row.room_order - a.row.room_order);
      found.push(...notified.filter(({ isHighlight }) => isHighlight || !onlyHighlights));
      tried += rows.length;
      end = reached;
      if (rows.length < triedAtOnce / 2) span *= growth;
    }
    const page = found.slice(0, limit);
    const next = found.length > limit ? page.at(-1)?.row.room_order : end;
    return { page, next: next === undefined || next <= 0 ? undefined : next };
  }

  return {
    async list(requester, { from, limit: wanted = defaultLimit, only }) {
      const limit = Math.min(Math.max(wanted, 1), maxLimit);
      const before = from === undefined ? (db.currentPosition() + 1) * ORDER_PER_POSITION : parseToken(from);
      const { page, next } = await find(requester.userId, before, limit, only === 'highlight');
      const style = {
        roomId: undefined,
        now: now(),
        device: requester,
        redactions: noRedactions,
      };
      const texts = page.map(
        ({ row, event, actions, membership }) =>
          `{"actions":${JSON.stringify(actions)},"event":${renderEvent(event, { ...style, membership })},"read":${row.is_read === 1},` +
          `"room_id":${JSON.stringify(row.room_id)},"ts":${event.origin_server_ts}}`,
      );
      const rest = next === undefined ? '' : `,"next_token":"${formatToken(next)}"`;
      return `{"notifications":[${texts.join(',')}]${rest}}`;
    },
  };
}

function formatToken(order: number): string {
  return `n1_${order.toString(36)}`;
}

function parseToken(token: string): number {
  const order = /^n1_([0-9a-z]{1,11})$/.test(token) ? Number.parseInt(token.slice(3), 36) : Number.NaN;
  if (Number.isSafeInteger(order)) return order;
  throw new MatrixError('request.invalid-param', { message: 'from is not a token of this server.' });
}
