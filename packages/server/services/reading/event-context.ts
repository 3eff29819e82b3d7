import type { RoomEventFilter } from '@portico/protocol/sync-filter/event-filter.ts';
import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { readEvents } from '@portico/storage/stores/events/timeline.ts';
import type { HistoryContext, ReadingContext, Requester } from './context.ts';
import { withoutErasedProfiles } from './erased-profiles.ts';
import { eventTest } from './event-reader.ts';
import { readFilledPage } from './filled-page.ts';
import { readSenderMembers } from './lazy-members.ts';
import { getVisibleEvent } from './one-event.ts';
import { rawRender } from './render.ts';
import { endOfPosition, formatPlace } from './tokens.ts';
import { answered } from './visibility.ts';

const defaultLimit = 10;
const maxLimit = 100;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidcontexteventid} */
export async function readEventContext(
  context: HistoryContext,
  requester: Requester,
  request: {
    readonly roomId: string;
    readonly eventId: string;
    readonly limit: number | undefined;
    readonly filter: RoomEventFilter;
  },
): Promise<string> {
  const { roomId, filter } = request;
  const access = await context.access.enter(requester.userId, roomId);
  const event = await getVisibleEvent(context, access, request.eventId);
  const order = event.row.room_order ?? 0;
  const limit = Math.min(request.limit ?? defaultLimit, maxLimit);
  const common = {
    viewer: access.viewer,
    ignored: await context.ignored.of(requester.userId),
    test: eventTest(filter),
  };
  const { roomNid } = access;
  const newest = Math.min(access.end, endOfPosition(context.db.currentPosition()));
  const none = { events: [], next: undefined };
  const beforeLimit = Math.floor(limit / 2);
  const afterLimit = limit - beforeLimit;
  const [before, after] = await Promise.all([
    beforeLimit === 0
      ? none
      : readFilledPage(context, roomId, {
          ...common,
          range: { roomNid, after: -1, upTo: order - 1 },
          direction: 'backwards',
          limit: beforeLimit,
        }),
    afterLimit === 0
      ? none
      : readFilledPage(context, roomId, {
          ...common,
          range: { roomNid, after: order, upTo: newest },
          direction: 'forwards',
          limit: afterLimit,
        }),
  ]);
  const first = before.events.at(-1)?.row.room_order ?? order;
  const last = after.events.at(-1)?.row ?? event.row;
  const senders = [event, ...before.events, ...after.events].map(({ row }) => row.sender);
  const then = await readStateAt(context, last, filter, senders);
  const state = await withoutErasedProfiles(context, access.viewer, then);
  const render = (events: Parameters<typeof rawRender>[3]) => rawRender(context, requester, roomId, events, access);
  const one = (await render([event])).slice(1, -1);
  return (
    `{"event":${one},"events_before":${await render(before.events)},"events_after":${await render(after.events)},` +
    `"state":${await render(state.map((row) => ({ row })))},` +
    `"start":"${formatPlace(before.next ?? first - 1)}","end":"${formatPlace(after.next ?? last.room_order ?? order)}"}`
  );
}

/** "The state of the room at the last event returned." Of lazily loaded members, those who sent something. */
async function readStateAt(
  context: ReadingContext,
  last: ClientEventRow,
  filter: RoomEventFilter,
  senders: readonly string[],
): Promise<readonly ClientEventRow[]> {
  const rootId = last.state_after ?? last.state_before;
  if (rootId === null) return [];
  const root = await answered(context.states.root(rootId));
  const rows: ClientEventRow[] = [];
  const part = filter.lazyLoadMembers ? { except: 'm.room.member' } : undefined;
  for await (const nids of context.states.events(root, part)) rows.push(...(await readEvents(context.db, nids)));
  if (filter.lazyLoadMembers) rows.push(...(await readSenderMembers(context, rootId, senders)));
  const test = eventTest(filter);
  return test === undefined ? rows : rows.filter(test);
}
