import type { Reader } from '@portico/storage';
import {
  readNewestSubscriptions,
  subscriptionState,
  type SubscriptionChange,
} from '@portico/storage/stores/events/thread-subscriptions.ts';
import { formatSyncToken } from '../sync/token.ts';

type Subscribed = { readonly automatic: boolean; readonly bump_stamp: number };
type Unsubscribed = { readonly bump_stamp: number };
type ByThread<T> = Readonly<Record<string, Readonly<Record<string, T>>>>;

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4308} */
export type SubscriptionPage = {
  /** By the room and the root of the thread. */
  readonly subscribed?: ByThread<Subscribed>;
  readonly unsubscribed?: ByThread<Unsubscribed>;
  /** A token for what changed before, if there is more. */
  readonly end?: string;
};

export type SubscriptionRange = {
  readonly after: number;
  readonly upTo: number;
  readonly limit: number | undefined;
};

const defaultLimit = 100;
/** "Servers may impose a smaller limit than requested." */
const maxLimit = 500;

/** The newest changes between two positions. */
export async function readSubscriptions(
  reader: Reader,
  userId: string,
  { after, upTo, limit: wanted = defaultLimit }: SubscriptionRange,
): Promise<SubscriptionPage> {
  const limit = Math.min(Math.max(wanted, 1), maxLimit);
  const rows = await readNewestSubscriptions(reader, userId, { after, upTo, limit: limit + 1 });
  const next = rows[limit];
  const page = rows.slice(0, limit);
  const [off = [], on = []] = [true, false].map((isOff) =>
    page.filter(({ state }) => (state === subscriptionState.none) === isOff),
  );
  return {
    ...(on.length > 0 && {
      subscribed: byThread(on, ({ state, stream_position: position }) => ({
        automatic: state === subscriptionState.automatic,
        bump_stamp: position,
      })),
    }),
    ...(off.length > 0 && {
      unsubscribed: byThread(off, ({ stream_position: position }) => ({ bump_stamp: position })),
    }),
    ...(next && { end: formatSyncToken(next.stream_position) }),
  };
}

function byThread<T>(rows: readonly SubscriptionChange[], textOf: (row: SubscriptionChange) => T): ByThread<T> {
  const rooms = Map.groupBy(rows, (row) => row.room_id);
  return Object.fromEntries(
    Array.from(rooms, ([room, changes]) => [
      room,
      Object.fromEntries(changes.map((row) => [row.event_id, textOf(row)])),
    ]),
  );
}
